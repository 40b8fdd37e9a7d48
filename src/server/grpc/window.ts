/** What a connection may have in flight before it is read, in bytes: 73 MB/s at 20 ms, where 64 KiB give 1.8. */
export const WINDOW = 4 * 1024 * 1024;
