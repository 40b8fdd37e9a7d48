/** What the protocol buffers of this folder look like once they are read; defaults are filled in. */
export interface RecipeMessage {
  readonly json: string;
  readonly steps: readonly { readonly op: string; readonly params: Readonly<Record<string, string>> }[];
  readonly outputs: readonly { readonly params: Readonly<Record<string, string>> }[];
}

/** One result; its data are left out where they follow as chunks. */
export interface ImageMessage {
  readonly format: string;
  readonly contentType: string;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  readonly data?: Uint8Array;
  readonly name?: string;
  readonly size?: number;
}

export interface ProcessRequest {
  readonly recipe: RecipeMessage | null;
  readonly image: Buffer;
}

export interface ProcessResponse {
  readonly images: readonly ImageMessage[];
  readonly notes: readonly string[];
}

export interface Spec {
  readonly recipe: RecipeMessage | null;
  readonly totalSize: number;
  readonly sha256: string;
  readonly uploadId: string;
}

export interface Chunk {
  readonly offset: number;
  readonly data: Buffer;
}

export interface ProcessStreamRequest {
  readonly message?: 'spec' | 'chunk';
  readonly spec?: Spec | null;
  readonly chunk?: Chunk | null;
}

export interface ProcessStreamResponse {
  readonly meta?: {
    readonly index: number;
    readonly image: ImageMessage;
    readonly size: number;
    readonly notes: readonly string[];
  };
  readonly chunk?: { readonly offset: number; readonly data: Uint8Array };
}

export interface QueryUploadRequest {
  readonly uploadId: string;
}

export interface QueryUploadResponse {
  readonly committedBytes: number;
}

export interface SizeRequest {
  readonly image: Buffer;
}

export interface SizeResponse {
  readonly format: string;
  readonly width: number;
  readonly height: number;
  readonly storedWidth: number;
  readonly storedHeight: number;
  readonly pages: number;
  readonly depth: number;
  readonly channels: number;
  readonly space: string;
  readonly alpha: boolean;
  readonly orientation: number;
  readonly density: number;
  readonly bytes: number;
}

/** An image as NLImageService has it: raw pixels or an encoded picture. */
export interface NLImage {
  readonly color: boolean;
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

export interface NLImageRotateRequest {
  /** A name, or the number of one that is not known. */
  readonly rotation: string | number;
  readonly image: NLImage | null;
}
