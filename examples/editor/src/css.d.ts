// esbuild gathers what is imported here in main.css.
declare module "*.css";
