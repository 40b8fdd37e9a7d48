/** The file that remembers, in an output folder, what imgtool wrote there; a folder holding one is our own output. */
export const MANIFEST_NAME = '.imgtool-manifest.ndjson';
