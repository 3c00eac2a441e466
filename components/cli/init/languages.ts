export const LANGUAGES = ["typescript", "javascript", "yaml"] as const;
export type Language = (typeof LANGUAGES)[number];
