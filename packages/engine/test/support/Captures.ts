// Snapshots taken at one moment: the slow twin of those that are taken piece by piece.
import type { CaptureKind } from "../../src/state/Capture.ts"
import type { OperatorState } from "../../src/state/OperatorState.ts"
import { PartWriter } from "../../src/state/StateCodec.ts"

/** All pieces of a capture, at once. */
export const piecesOf = (state: OperatorState, kind: CaptureKind, watermark: number): ReadonlyArray<unknown> => {
  const pieces: Array<unknown> = []
  const capture = state.capture(kind, watermark)
  for (let piece = capture.next(3); piece !== undefined; piece = capture.next(3)) pieces.push(piece)
  return pieces
}

/** A part with everything. */
export const encodeWhole = (states: ReadonlyArray<OperatorState>, watermark: number): Uint8Array => {
  const writer = new PartWriter()
  for (const state of states) for (const piece of piecesOf(state, "base", watermark)) writer.add(state.name, piece)
  return writer.take()
}
