export const COLORS = ["blue", "green"] as const;
export type Color = (typeof COLORS)[number];

/** The containers of a color are peers. It goes by the name of the first one, of which those of the others are made: also in shell/in-both/replicas.sh. */
export const namesOf = (first: string, replicas: number): string[] =>
  Array.from({ length: replicas }, (_, i) => (i === 0 ? first : `${first}-${i + 1}`));

/** Whose container a child of the component is: `blue` and `blue-2` are blue's, `blue-jobs` is that of its worker, whose name begins with a letter. */
export function readChild(child: string): { color?: Color; worker?: string } {
  const [, color, worker] = /^(blue|green)(?:-\d+|-([a-z].*))?$/.exec(child) ?? [];
  return { color: color as Color | undefined, worker };
}

export const other = (color: Color): Color => (color === "blue" ? "green" : "blue");

export const isColor = (text: string): text is Color => COLORS.some((color) => color === text);
