/**
 * The lists of a table's metadata that grow with its commits: snapshots and logs. A scan needs one snapshot of them, so that
 * both forms leave them text until they are asked for.
 *
 * Of text that anybody may have written or damaged, all is looked at when it is read (`ParsedLists`). Of bytes that a checksum
 * proves to be those that this library printed (`io/MetadataChecksum.ts`), nothing has to be but what is asked for
 * (`WrittenLists`); the first is the slow twin of the second.
 */
import { corrupt } from "./FormatError.ts"
import { parseJson, type JsonObject, type ListTaker } from "./Json.ts"
import { readObject } from "./JsonRead.ts"
import type { Snapshot } from "./Snapshot.ts"
import { metadataLogForm, snapshotForm, snapshotIdKey, snapshotLogForm } from "./SnapshotText.ts"
import type { MetadataLogEntry, SnapshotLogEntry, TableMetadata } from "./TableMetadata.ts"
import { memberAt, TextList } from "./TextList.ts"

/** What the rest of the metadata says of its snapshots. */
type Known = Pick<TableMetadata, "currentSnapshotId" | "lastSequenceNumber" | "refs">

export interface TableLists {
  /** Takes the lists that are in the document; FormatError where they are damaged. */
  readonly read: (document: JsonObject) => void
  /** FormatError where they are not what the rest says. Nothing below is asked before. */
  readonly check: (known: Known) => void
  readonly snapshots: () => ReadonlyArray<Snapshot>
  readonly snapshotOf: (id: bigint) => Snapshot | undefined
  readonly snapshotLog: () => ReadonlyArray<SnapshotLogEntry>
  readonly metadataLog: () => ReadonlyArray<MetadataLogEntry>
}

const nowhere = -1

export class ParsedLists implements TableLists {
  private readonly snapshotList = new TextList(snapshotForm)
  private readonly snapshotLogList = new TextList(snapshotLogForm)
  private readonly metadataLogList = new TextList(metadataLogForm)
  /** Where each snapshot stands in the list, by its id's digits. */
  private readonly places = new Map<string, number>()

  /** For the parser of the document that they are in. */
  readonly takers: ReadonlyMap<string, ListTaker> = new Map<string, ListTaker>([
    ["snapshots", this.snapshotList],
    ["snapshot-log", this.snapshotLogList],
    ["metadata-log", this.metadataLogList]
  ])

  read(document: JsonObject): void {
    const { notes } = this.snapshotList.read(document["snapshots"], "snapshots")
    this.snapshotLogList.read(document["snapshot-log"], "snapshot-log")
    this.metadataLogList.read(document["metadata-log"], "metadata-log")
    for (let index = 0; index < notes.length; index++) this.places.set(notes[index]!.id, index)
  }

  check({ lastSequenceNumber, refs }: Known): void {
    const { notes } = this.snapshotList
    if (this.places.size !== notes.length) corrupt("snapshots", "a snapshot id is used twice")
    for (const [name, { snapshotId }] of refs) {
      if (!this.places.has(String(snapshotId))) corrupt(`refs.${name}`, `snapshot ${snapshotId} is not in the table`)
    }
    // two numbers are compared in no time; one of a note is exact, and so is any number that is not above it
    const lastNumber = Number(lastSequenceNumber)
    for (const { id, sequenceNumber } of notes) {
      if (sequenceNumber > (typeof sequenceNumber === "number" ? lastNumber : lastSequenceNumber)) {
        corrupt("last-sequence-number", `is below that of snapshot ${id}`)
      }
    }
  }

  private place(id: bigint): number {
    return this.places.get(String(id)) ?? nowhere
  }

  /** Is told of a snapshot that was decoded before, so that there is one of each. */
  know(snapshot: Snapshot): void {
    this.snapshotList.know(this.place(snapshot.snapshotId), snapshot)
  }

  snapshotOf(id: bigint): Snapshot | undefined {
    return this.snapshotList.at(this.place(id))
  }

  snapshots(): ReadonlyArray<Snapshot> {
    return this.snapshotList.all()
  }

  snapshotLog(): ReadonlyArray<SnapshotLogEntry> {
    return this.snapshotLogList.all()
  }

  metadataLog(): ReadonlyArray<MetadataLogEntry> {
    return this.metadataLogList.all()
  }
}

/**
 * `bytes`: the document from the line of its snapshots to its end, as `tableMetadataToBytes` prints it. Where the current snapshot
 * is not found, all is looked at when it is checked; what is found to be wrong later is a bug of what printed it.
 */
export class WrittenLists implements TableLists {
  private bytes: Buffer
  private known: Known | undefined
  private current: Snapshot | undefined
  private whole: ParsedLists | undefined

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** They are in none: the document ends before them. */
  read(): void {}

  check(known: Known): void {
    this.known = known
    if (known.currentSnapshotId === null) return
    this.current = this.found(known.currentSnapshotId)
    if (this.current === undefined) this.all()
  }

  /**
   * The snapshot with this id, found by its text, which nothing else here has: quotes within strings are escaped, a parent's id has
   * another name, and one in a log comes last. Undefined when it is not printed as usual.
   */
  private found(id: bigint): Snapshot | undefined {
    const at = this.bytes.lastIndexOf(`${snapshotIdKey}${id},`)
    if (at < 0) return undefined
    const end = this.bytes.indexOf("\n", at)
    const begin = this.bytes.lastIndexOf("{", at)
    return memberAt(snapshotForm, this.bytes.toString("utf8", begin, end), 0)
  }

  private all(): ParsedLists {
    if (this.whole !== undefined) return this.whole
    const lists = new ParsedLists()
    lists.read(readObject(parseJson(`{${this.bytes.toString("utf8")}`, lists.takers), "table metadata"))
    if (this.known !== undefined) lists.check(this.known)
    if (this.current !== undefined) lists.know(this.current)
    this.whole = lists
    // the text of the lists has taken its place
    this.bytes = Buffer.alloc(0)
    return lists
  }

  snapshotOf(id: bigint): Snapshot | undefined {
    return id === this.current?.snapshotId ? this.current : this.all().snapshotOf(id)
  }

  snapshots(): ReadonlyArray<Snapshot> {
    return this.all().snapshots()
  }

  snapshotLog(): ReadonlyArray<SnapshotLogEntry> {
    return this.all().snapshotLog()
  }

  metadataLog(): ReadonlyArray<MetadataLogEntry> {
    return this.all().metadataLog()
  }
}
