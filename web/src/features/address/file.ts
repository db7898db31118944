/** Why a choice of files is not taken, before anything is sent; null where it is. */
export function refusal(files: Pick<File, 'name' | 'size'>[]): 'none' | 'several' | 'kind' | 'oldExcel' | 'empty' | null {
  if (files.length === 0) return 'none';
  if (files.length > 1) return 'several';
  const [{ name, size }] = files;
  if (/\.(xls|et)$/i.test(name)) return 'oldExcel';
  if (!/\.(csv|tsv|txt|xlsx)$/i.test(name)) return 'kind';
  return size === 0 ? 'empty' : null;
}
