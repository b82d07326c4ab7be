/** A list of tags, separated by commas of either script or by lines, as tags: trimmed, none empty, none twice. */
export function splitTags(text: string): string[] {
  const tags = text.split(/[,，、\n]/).map((tag) => tag.trim());
  return [...new Set(tags.filter(Boolean))];
}
