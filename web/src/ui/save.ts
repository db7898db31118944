/** Hands a file that the page has made to the reader. */
export function save(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  // A name of a file has none of these.
  link.download = name.replace(/[\\/:*?"<>|\u0000-\u001f]/g, ' ').trim() || 'onemap';
  document.body.append(link);
  link.click();
  link.remove();
  // The browser still reads it for a while.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
