import "./about.css";
import sign from "./sign.svg";

/** With a style and an image of its own, whose names have hashes, too. */
export function about() {
  const part = document.createElement("p");
  part.className = "about";
  const image = new Image();
  image.src = sign;
  part.append(image, `About the shop ${VERSION}`);
  return part;
}
