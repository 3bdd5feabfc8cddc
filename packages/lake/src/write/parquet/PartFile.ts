/**
 * A data file in the making, local: parts that DuckDB wrote, or that lie in memory, joined into one Parquet file.
 *
 * The first part becomes the file; the bodies of later parts are appended and the footer is rewritten at the end. So a
 * file of any size takes the memory of one part. The writer publishes it; a file left unfinished goes with its folder.
 */
import { open, unlink, type FileHandle } from "node:fs/promises"
import { FormatError } from "../../spec/FormatError.ts"
import type { MemoryPart } from "./pages/RowGroupPart.ts"
import {
  appendFooter,
  footerFromBytes,
  footerLength,
  footerRowCount,
  footerToBytes,
  parquetMagic,
  trailerLength,
  type ParquetFooter
} from "./ParquetFooter.ts"

const copyBytes = 1024 * 1024

/** Reads exactly `length` bytes. */
export const readAt = async (handle: FileHandle, position: number, length: number): Promise<Uint8Array> => {
  const bytes = new Uint8Array(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, position + filled)
    if (bytesRead === 0)
      throw new FormatError({ reason: "Corrupt", message: "a part of a Parquet file ends too early" })
    filled += bytesRead
  }
  return bytes
}

export const writeAt = async (handle: FileHandle, position: number, bytes: Uint8Array): Promise<void> => {
  let done = 0
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

/** Writes the pieces one after another by few calls; gives where they end. */
const writePieces = async (
  handle: FileHandle,
  position: number,
  pieces: ReadonlyArray<Uint8Array>
): Promise<number> => {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let used = 0
  for (const piece of pieces) {
    bytes.set(piece, used)
    used += piece.length
  }
  await writeAt(handle, position, bytes)
  return position + bytes.length
}

/** The footer of a part and where its body ends. */
export const readFooter = async (handle: FileHandle): Promise<{ footer: ParquetFooter; bodyEnd: number }> => {
  const { size } = await handle.stat()
  const trailer = await readAt(handle, Math.max(0, size - trailerLength), Math.min(size, trailerLength))
  const length = footerLength(trailer)
  const bodyEnd = size - trailerLength - length
  if (bodyEnd < parquetMagic.length) {
    throw new FormatError({ reason: "Corrupt", message: "the footer of a Parquet file is longer than the file" })
  }
  return { footer: footerFromBytes(await readAt(handle, bodyEnd, length)), bodyEnd }
}

export class PartFile {
  /** Local path of the file. */
  readonly path: string
  private readonly handle: FileHandle
  private whole: ParquetFooter
  private bodyEnd: number
  /** The footer that lies in the file, if any, is not the whole's. */
  private joined = false

  private constructor(path: string, handle: FileHandle, footer: ParquetFooter, bodyEnd: number) {
    this.path = path
    this.handle = handle
    this.whole = footer
    this.bodyEnd = bodyEnd
  }

  /** Takes over the first part's file. */
  static async start(path: string): Promise<PartFile> {
    const handle = await open(path, "r+")
    try {
      const { footer, bodyEnd } = await readFooter(handle)
      return new PartFile(path, handle, footer, bodyEnd)
    } catch (cause) {
      await handle.close()
      throw cause
    }
  }

  /** A file that begins with a part in memory; its footer is written at the end. */
  static async create(path: string, { footer, pieces }: MemoryPart): Promise<PartFile> {
    const handle = await open(path, "wx")
    try {
      const whole = await writePieces(handle, 0, [parquetMagic, ...pieces])
      const file = new PartFile(path, handle, footer, whole)
      file.joined = true
      return file
    } catch (cause) {
      await handle.close()
      throw cause
    }
  }

  /** Bytes so far, without the footer. */
  get bytes(): number {
    return this.bodyEnd
  }

  get rows(): number {
    return footerRowCount(this.whole)
  }

  /** Appends the part at `path` and removes its file. */
  async append(path: string): Promise<void> {
    const part = await open(path, "r")
    try {
      const { footer, bodyEnd } = await readFooter(part)
      const from = parquetMagic.length
      this.joined = true
      for (let at = from; at < bodyEnd; at += copyBytes) {
        const bytes = await readAt(part, at, Math.min(copyBytes, bodyEnd - at))
        await writeAt(this.handle, this.bodyEnd + at - from, bytes)
      }
      this.whole = appendFooter(this.whole, footer, this.bodyEnd - from)
      this.bodyEnd += bodyEnd - from
    } finally {
      await part.close()
    }
    await unlink(path)
  }

  /** Appends a part in memory. */
  async appendBytes({ footer, pieces }: MemoryPart): Promise<void> {
    const end = await writePieces(this.handle, this.bodyEnd, pieces)
    this.whole = appendFooter(this.whole, footer, this.bodyEnd - parquetMagic.length)
    this.bodyEnd = end
  }

  /** Writes the footer of the whole file, unless it is the first part's own. Nothing may be appended afterwards. */
  async finish(): Promise<ParquetFooter> {
    if (this.joined) {
      const footer = footerToBytes(this.whole)
      await writeAt(this.handle, this.bodyEnd, footer)
      await this.handle.truncate(this.bodyEnd + footer.length)
    }
    await this.handle.close()
    return this.whole
  }

  /** Lets go of a file that will not be finished. */
  async abandon(): Promise<void> {
    await this.handle.close()
  }
}
