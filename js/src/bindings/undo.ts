/** Which step of undo a key press or an input asks for, if any: Mod-Z, Mod-Shift-Z, Ctrl-Y, the browser's menu. */
export function undoStep(event: Event): "undo" | "redo" | undefined {
  if (event.type === "beforeinput") {
    const { inputType } = event as InputEvent;
    return inputType === "historyUndo" ? "undo" : inputType === "historyRedo" ? "redo" : undefined;
  }
  const { key, ctrlKey, metaKey, altKey, shiftKey } = event as KeyboardEvent;
  if (altKey || ctrlKey === metaKey) {
    return undefined;
  }
  switch (key.toLowerCase()) {
    case "z":
      return shiftKey ? "redo" : "undo";
    case "y":
      return ctrlKey && !shiftKey ? "redo" : undefined;
    default:
      return undefined;
  }
}
