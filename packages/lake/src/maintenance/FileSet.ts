/**
 * A set of file URIs that costs some 40 bytes a file, whatever their length and spelling.
 *
 * It keeps 48 bits of a hash of the file's key. **Gotchas**: once in very many files it takes an unknown one for known:
 * use it only where "known" means "keep".
 */
import { createHash } from "node:crypto"
import { type EqualSchemes, fileKey } from "./FileKey.ts"

export class FileSet {
  private readonly hashes = new Set<number>()

  private readonly equalSchemes: EqualSchemes | undefined

  constructor(equalSchemes?: EqualSchemes) {
    this.equalSchemes = equalSchemes
  }

  private hash(uri: string): number {
    return createHash("sha1").update(fileKey(uri, this.equalSchemes)).digest().readUIntBE(0, 6)
  }

  /** False when it was there already. */
  add(uri: string): boolean {
    const { size } = this.hashes
    this.hashes.add(this.hash(uri))
    return this.hashes.size > size
  }

  has(uri: string): boolean {
    return this.hashes.has(this.hash(uri))
  }
}
