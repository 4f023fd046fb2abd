import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist", "wasm", "node_modules", ".test"] },
  {
    files: ["src/**/*.ts", "test/**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { project: ["./tsconfig.json", "./test/tsconfig.json"] } },
    rules: {
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "@typescript-eslint/prefer-readonly": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      // An interface merges with others of its name by accident; a type that lists events needs no index.
      "@typescript-eslint/consistent-type-definitions": ["error", "interface"],
      "@typescript-eslint/no-floating-promises": [
        "error",
        { allowForKnownSafeCalls: [{ from: "package", name: "test", package: "node:test" }] },
      ],
      curly: "error",
      eqeqeq: "error",
    },
  },
  {
    // Bindings know the document and their editor, never a provider; providers never a binding.
    files: ["src/bindings/**/*.ts"],
    rules: { "no-restricted-imports": ["error", { patterns: ["**/providers/**", "**/core.js", "**/wasm/**"] }] },
  },
  {
    files: ["src/providers/**/*.ts"],
    rules: {
      "no-restricted-imports": ["error", { patterns: ["**/bindings/**", "**/wasm/**"] }],
    },
  },
);
