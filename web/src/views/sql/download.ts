import { ask } from '../../app/api';
import { requestOf } from './answer';

/** Runs the statement once more, and hands all of its rows to the browser as a file. */
export async function download(statement: string, account: string, format: 'csv' | 'parquet', name: string): Promise<void> {
  const response = await ask(requestOf(statement, account, format));
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = `${name.replace(/[^\p{L}\p{N} _-]+/gu, '').trim().replaceAll(' ', '_') || 'answer'}.${format}`;
  link.click();
  URL.revokeObjectURL(url);
}
