/**
 * The bytes of deltas and snapshots: JSON of every operator's entries, the same form for both.
 *
 * An operator that a newer version of the job no longer has is skipped when read; one that is new starts empty.
 */
import type { OperatorState } from "./OperatorState.ts"

interface Section {
  readonly operator: string
  readonly entries: unknown
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const encode = (sections: ReadonlyArray<Section>) => encoder.encode(JSON.stringify({ version: 1, sections }))

/** What changed since the last delta, of all operators; also when nothing did: recovery demands one for every epoch. */
export const encodeDelta = (states: ReadonlyArray<OperatorState>): Uint8Array =>
  encode(states.map((state) => ({ operator: state.name, entries: state.takeDelta() })))

/** All live entries of all operators. */
export const encodeSnapshot = (states: ReadonlyArray<OperatorState>, watermark: number): Uint8Array =>
  encode(states.map((state) => ({ operator: state.name, entries: state.sweepAndEncode(watermark) })))

/** Applies a delta or a snapshot on top of what is loaded. Throws when the bytes are not what `encode…` made. */
export const applyEncoded = (states: ReadonlyArray<OperatorState>, bytes: Uint8Array): void => {
  // written by encode above and verified by hash (snapshots) or by the log's checksum (deltas)
  const document = JSON.parse(decoder.decode(bytes)) as {
    readonly version: number
    readonly sections: ReadonlyArray<Section>
  }
  if (document.version !== 1) throw new Error(`state of version ${document.version}, this program reads version 1`)
  for (const section of document.sections) {
    states.find((state) => state.name === section.operator)?.load(section.entries)
  }
}
