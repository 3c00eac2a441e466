export const COLORS = ["blue", "green"] as const;
export type Color = (typeof COLORS)[number];

export const other = (color: Color): Color => (color === "blue" ? "green" : "blue");

export const isColor = (text: string): text is Color => COLORS.some((color) => color === text);
