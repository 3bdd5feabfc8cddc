/**
 * The stores of a shard's operators: made in a folder of their own when the shard is restored, gone when it is given up.
 *
 * `run/StateStores.ts` keeps them. Who opens a shard's stores has taken the shard, so what others left of it may go.
 */
import type { ShardId } from "../log/Log.ts"
import type { StateFile, StateFolderShape, StoreFiles } from "./StateFolder.ts"

/** Makes the folder of an operator's store. */
export type OpenStore = (operator: string) => { readonly files: StoreFiles; readonly sealed: boolean }

const nameOf = (part: string): string => {
  const name = encodeURIComponent(part)
  // a folder of that name would be another one
  return /^\.+$/.test(name) ? name.replaceAll(".", "%2E") : name
}

const pathOf = ({ shard, stage, uid }: ShardId): string => [uid, stage, String(shard)].map(nameOf).join("/")

export class ShardStores {
  private readonly folder: StateFolderShape
  private readonly path: string
  private readonly own: string
  private readonly files = new Set<StateFile>()

  /** `own`: no other stores of the shard have the name. */
  constructor(folder: StateFolderShape, id: ShardId, own: string) {
    this.folder = folder
    this.path = pathOf(id)
    this.own = `${this.path}/${nameOf(own)}`
  }

  /** Removes what other restores and other processes left of the shard. */
  sweep(): void {
    this.folder.remove(this.path)
  }

  readonly open: OpenStore = (operator) => {
    const made = this.folder.make(`${this.own}/${nameOf(operator)}`)
    return { sealed: this.folder.sealed, files: { place: made.place, create: (name) => this.kept(made.create(name)) } }
  }

  private kept(file: StateFile): StateFile {
    const kept: StateFile = {
      append: file.append,
      read: file.read,
      discard: () => {
        this.files.delete(kept)
        file.discard()
      }
    }
    this.files.add(kept)
    return kept
  }

  /** Closes and removes all files; their stores are not asked again. */
  close(): void {
    for (const file of [...this.files]) file.discard()
    this.folder.remove(this.own)
  }
}
