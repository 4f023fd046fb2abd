// Images that somebody picks, pastes or drops: small enough to travel in the text itself.

/** As a data URL. Bigger ones are drawn smaller; what is still bigger is refused. */
const URL_CHARS_MAX = 400_000;
const SIDES_PX = [1200, 900, 640, 400];

/** The image as a data URL, made smaller if it has to be; `undefined` if it is none or cannot be made small enough. */
export async function imageUrl(file: Blob): Promise<string | undefined> {
  if (!file.type.startsWith("image/")) {
    return undefined;
  }
  const whole = await dataUrl(file);
  if (whole.length <= URL_CHARS_MAX) {
    return whole;
  }
  const picture = await createImageBitmap(file).catch(() => undefined);
  if (!picture) {
    return undefined;
  }
  for (const side of SIDES_PX) {
    const url = await drawn(picture, Math.min(1, side / Math.max(picture.width, picture.height)));
    if (url.length <= URL_CHARS_MAX) {
      return url;
    }
  }
  return undefined;
}

async function drawn(picture: ImageBitmap, scale: number): Promise<string> {
  const canvas = new OffscreenCanvas(Math.ceil(picture.width * scale), Math.ceil(picture.height * scale));
  canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return await dataUrl(await canvas.convertToBlob({ type: "image/webp", quality: 0.8 }));
}

async function dataUrl(file: Blob): Promise<string> {
  return await new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => {
      resolve(typeof reader.result === "string" ? reader.result : "");
    };
    reader.onerror = () => {
      reject(reader.error ?? new Error("the file cannot be read"));
    };
    reader.readAsDataURL(file);
  });
}

/** Lets somebody pick an image file. */
export async function pickImage(): Promise<File | undefined> {
  const field = document.createElement("input");
  field.type = "file";
  field.accept = "image/*";
  return await new Promise((resolve) => {
    field.onchange = () => {
      resolve(field.files?.[0]);
    };
    field.oncancel = () => {
      resolve(undefined);
    };
    field.click();
  });
}
