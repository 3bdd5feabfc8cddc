/**
 * What a query's process and its parent say to each other: frames of a kind, a length and bytes.
 *
 * Used on both sides; imports nothing, so that the process starts fast.
 */

/** message: JSON. tree: the parser's JSON text. rows: encoded rows, after their number in four bytes. */
export type FrameKind = "message" | "tree" | "rows"

export interface Frame {
  readonly kind: FrameKind
  readonly bytes: Uint8Array
}

const kinds: ReadonlyArray<FrameKind> = ["message", "tree", "rows"]
const headBytes = 5
/** A frame that says it is longer is none: the other side is out of its mind. */
const frameBytesMax = 256 * 1024 * 1024

export const encodeFrame = (kind: FrameKind, bytes: Uint8Array): Uint8Array => {
  const frame = new Uint8Array(headBytes + bytes.length)
  frame[0] = kinds.indexOf(kind)
  new DataView(frame.buffer).setUint32(1, bytes.length)
  frame.set(bytes, headBytes)
  return frame
}

/** Puts frames together from the pieces that a pipe gives. Throws a RangeError for what is no frame. */
export class FrameReader {
  private pieces: Array<Uint8Array> = []
  private size = 0

  push(piece: Uint8Array): void {
    this.pieces.push(piece)
    this.size += piece.length
  }

  private join(): Uint8Array {
    const [first] = this.pieces
    if (this.pieces.length === 1 && first !== undefined) return first
    const all = new Uint8Array(this.size)
    let at = 0
    for (const piece of this.pieces) {
      all.set(piece, at)
      at += piece.length
    }
    this.pieces = [all]
    return all
  }

  /** Undefined until a whole frame is there. */
  next(): Frame | undefined {
    if (this.size < headBytes) return undefined
    if ((this.pieces[0]?.length ?? 0) < headBytes) this.join()
    const head = this.pieces[0] ?? new Uint8Array(headBytes)
    const kind = kinds[head[0] ?? kinds.length]
    const length = new DataView(head.buffer, head.byteOffset).getUint32(1)
    if (kind === undefined || length > frameBytesMax) throw new RangeError("not a frame")
    const end = headBytes + length
    if (this.size < end) return undefined
    const all = this.join()
    this.pieces = all.length > end ? [all.subarray(end)] : []
    this.size = all.length - end
    return { kind, bytes: all.subarray(headBytes, end) }
  }
}

export type ResultFormat = "json" | "ndjson" | "csv" | "arrow"

export interface ViewDefinition {
  readonly catalog: string
  readonly namespace: string
  readonly name: string
  readonly relation: string
}

/** What the parent asks. */
export type Request =
  | { readonly type: "parse"; readonly sql: string }
  | {
      readonly type: "run"
      readonly sql: string
      readonly views: ReadonlyArray<ViewDefinition>
      readonly files: ReadonlyArray<string>
      readonly format: ResultFormat
      readonly rowsMax: number
      readonly bytesMax: number
      readonly memoryBytesMax: number
      readonly spillBytesMax: number
      readonly threads: number
    }

export interface ResultColumn {
  readonly name: string
  /** DuckDB's name of the type. */
  readonly type: string
}

/** What the process answers, besides trees and rows. */
export type Answer =
  | { readonly type: "columns"; readonly columns: ReadonlyArray<ResultColumn> }
  | { readonly type: "done"; readonly rows: number }
  | { readonly type: "limit"; readonly limit: "rows" | "bytes" }
  | { readonly type: "failed"; readonly message: string }
  /** The next query may come. */
  | { readonly type: "ready"; readonly rssBytes: number }
