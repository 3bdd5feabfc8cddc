/**
 * Writes a snapshot of one shard while it runs: captures of its operators, piece by piece, into parts of a bounded size.
 *
 * `run/TakeSnapshots.ts` begins it at an epoch's end and gives it a slice between batches. **Bounds**: a part is in memory while
 * the one before is being written.
 */
import type { ShardId, SnapshotName } from "../log/Log.ts"
import type { Capture, CaptureKind } from "../state/Capture.ts"
import type { StateSeal } from "../state/StateSeal.ts"
import type { OperatorState } from "../state/OperatorState.ts"
import { PartWriter } from "../state/StateCodec.ts"
import { type FileName, partFile, type SnapshotFile, type SnapshotPlace } from "./Snapshot.ts"
import type { SnapshotBounds } from "./SnapshotBounds.ts"

/** The files that the next increment goes on from. */
export interface SnapshotChain {
  readonly parts: ReadonlyArray<FileName>
  readonly baseBytes: number
  readonly incrementBytes: number
  readonly increments: number
}

const bytesOf = (parts: ReadonlyArray<FileName>): number => parts.reduce((sum, { bytes }) => sum + bytes, 0)

const kindAfter = (chain: SnapshotChain | undefined, bounds: SnapshotBounds): CaptureKind =>
  chain === undefined ||
  chain.baseBytes <= bounds.wholeBytesMax ||
  chain.increments >= bounds.incrementsMax ||
  chain.incrementBytes >= chain.baseBytes
    ? "base"
    : "increment"

/** A snapshot that the next commit names, and its files. */
export interface WrittenSnapshot {
  readonly name: SnapshotName
  readonly chain: SnapshotChain
}

export interface CaptureParts {
  readonly id: ShardId
  readonly epoch: number
  /** Who runs the shard, and which of its captures this is: no file of another has the name. */
  readonly incarnation: string
  readonly states: ReadonlyArray<OperatorState>
  readonly watermark: number
  readonly chain: SnapshotChain | undefined
  readonly bounds: SnapshotBounds
  readonly seal: StateSeal
}

export class ShardCapture {
  readonly place: SnapshotPlace
  readonly kind: CaptureKind
  private readonly bounds: SnapshotBounds
  private readonly seal: StateSeal
  private readonly before: SnapshotChain | undefined
  private readonly open: Array<{ readonly name: string; readonly capture: Capture }>
  private readonly writer = new PartWriter()
  private readonly written: Array<FileName> = []
  /** Parts. */
  private taken = 0

  constructor({ bounds, chain, epoch, id, incarnation, seal, states, watermark }: CaptureParts) {
    this.seal = seal
    this.place = { id, epoch, incarnation }
    this.kind = kindAfter(chain, bounds)
    this.bounds = bounds
    this.before = this.kind === "base" ? undefined : chain
    this.open = states.map((state) => ({ name: state.name, capture: state.capture(this.kind, watermark) }))
  }

  /**
   * Takes pieces until a part is due, `entriesMax` were taken or it is `untilMs` by the clock, `nowMs`. What it took of
   * `entriesMax`, all of it when the time is over.
   */
  slice(nowMs: () => number, entriesMax: number, untilMs: number): number {
    const { pieceEntriesMax } = this.bounds
    let entries = 0
    while (!this.due() && entries < entriesMax) {
      const { capture, name } = this.open[0]! // else a part would be due
      const piece = capture.next(pieceEntriesMax)
      if (piece === undefined) this.open.shift()
      else {
        this.writer.add(name, piece)
        entries += pieceEntriesMax
      }
      if (nowMs() >= untilMs) return entriesMax
    }
    return entries
  }

  /** All pieces were given. */
  private given(): boolean {
    return this.open.length === 0
  }

  /** Something is to be written before it goes on. */
  due(): boolean {
    return this.given() || this.writer.size() >= this.bounds.partBytesMax
  }

  /** All pieces are in parts that were taken. */
  over(): boolean {
    return this.given() && this.writer.empty()
  }

  /** The part that is due; undefined when nothing is left for one. A base has one, also when it is empty. */
  takePart(): SnapshotFile | undefined {
    if (this.writer.empty() && (this.kind === "increment" || this.taken > 0)) return undefined
    return partFile(this.place, this.taken++, this.writer.take(), this.seal)
  }

  /** A part that was taken is written. */
  wrote(part: FileName): void {
    this.written.push(part)
  }

  bytesWritten(): number {
    return bytesOf(this.written)
  }

  /** With it, as the next one goes on. */
  chain(): SnapshotChain {
    const { before, written } = this
    const bytes = bytesOf(written)
    if (before === undefined) return { parts: written, baseBytes: bytes, incrementBytes: 0, increments: 0 }
    return {
      parts: [...before.parts, ...written],
      baseBytes: before.baseBytes,
      incrementBytes: before.incrementBytes + bytes,
      increments: before.increments + 1
    }
  }
}
