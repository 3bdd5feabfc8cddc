/**
 * The bytes of deltas and snapshots: JSON of every operator's entries, the same form for both.
 *
 * A delta is one document, and where operators keep records a newline and their bytes (`RawBytes.ts`). A part of a snapshot is a line that says so, then a line for each piece of an operator's capture,
 * so that it can be written and read in slices. Snapshots of older programs are one document, as deltas are. An operator that
 * a newer version of the job no longer has is skipped when read; one that is new starts empty.
 */
import type { OperatorState } from "./OperatorState.ts"
import { RawBytes } from "./RawBytes.ts"

interface Section {
  readonly operator: string
  readonly entries: unknown
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Versions before have panes as rows alone; a program that knows no columns must not pass over them. */
const deltaVersion = 2
const partVersion = 3
/** Of a delta with bytes behind it; of version 4, those were of records alone. */
const rawVersion = 5
const headOf = (version: number) => encoder.encode(`{"version":${version},"part":"frazil state"}\n`)
/** What a part begins with; a document begins otherwise. */
const partHead = headOf(partVersion)
const headsRead = [partHead, headOf(2)]
const deltasRead: ReadonlyArray<number> = [rawVersion, 4, deltaVersion, 1]
const newline = 10
const noBytes = new Uint8Array(0)

/** What changed since the last delta, of all operators; also when nothing did: recovery demands one for every epoch. */
export const encodeDelta = (states: ReadonlyArray<OperatorState>): Uint8Array => {
  const raw = new RawBytes()
  const sections = states.map((state): Section => ({ operator: state.name, entries: state.takeDelta(raw) }))
  if (raw.length === 0) return encoder.encode(JSON.stringify({ version: deltaVersion, sections }))
  return raw.behind(JSON.stringify({ version: rawVersion, sections }))
}

/** Puts pieces one behind the other until somebody takes them as a part. */
export class PartWriter {
  private bytes = new Uint8Array(65_536)
  private used = 0

  constructor() {
    this.begin()
  }

  private begin(): void {
    this.bytes.set(partHead)
    this.used = partHead.length
  }

  add(operator: string, entries: unknown): void {
    const text = JSON.stringify({ operator, entries } satisfies Section)
    // a UTF-16 unit is at most three bytes
    this.reserve(text.length * 3 + 1)
    this.used += encoder.encodeInto(text, this.bytes.subarray(this.used)).written
    this.bytes[this.used++] = newline
  }

  private reserve(more: number): void {
    if (this.used + more <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.used + more))
    larger.set(this.bytes.subarray(0, this.used))
    this.bytes = larger
  }

  /** Bytes that a part would have now. */
  size(): number {
    return this.used
  }

  empty(): boolean {
    return this.used === partHead.length
  }

  /** The part; the next one begins. */
  take(): Uint8Array {
    const part = this.bytes.slice(0, this.used)
    this.begin()
    return part
  }
}

/** The length of a part's head; undefined: it is a document. */
const headLength = (bytes: Uint8Array): number | undefined =>
  headsRead.find((head) => head.every((byte, at) => bytes[at] === byte))?.length

const documentOf = (bytes: Uint8Array): ReadonlyArray<Section> => {
  // written by encodeDelta, or by an older program
  const document = JSON.parse(decoder.decode(bytes)) as {
    readonly version: number
    readonly sections: ReadonlyArray<Section>
  }
  if (!deltasRead.includes(document.version))
    throw new Error(`state of version ${document.version}, which this program does not read`)
  return document.sections
}

/** The sections one by one, so that a part is never in memory as a whole but as its bytes. */
function* sectionsOf(bytes: Uint8Array): Generator<Section & { readonly raw?: Uint8Array }> {
  const head = headLength(bytes)
  if (head === undefined) {
    // JSON has no newline of its own
    const end = bytes.indexOf(newline)
    const raw = end < 0 ? noBytes : bytes.subarray(end + 1)
    for (const section of documentOf(end < 0 ? bytes : bytes.subarray(0, end))) yield { ...section, raw }
    return
  }
  for (let from = head; from < bytes.length;) {
    const to = bytes.indexOf(newline, from)
    if (to < 0) throw new Error("a part of a snapshot ends in the middle of a line")
    yield JSON.parse(decoder.decode(bytes.subarray(from, to))) as Section // written by PartWriter, verified by hash
    from = to + 1
  }
}

/** Applies a delta, a part or an older snapshot on top of what is loaded. Throws when the bytes are none of these. */
export const applyEncoded = (states: ReadonlyArray<Pick<OperatorState, "name" | "load">>, bytes: Uint8Array): void => {
  // written by this file and verified by hash (snapshots) or by the log's checksum (deltas)
  for (const section of sectionsOf(bytes)) {
    states.find((state) => state.name === section.operator)?.load(section.entries, section.raw)
  }
}
