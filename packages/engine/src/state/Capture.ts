/**
 * A snapshot of one operator's state, taken in pieces while records go on changing it.
 *
 * `checkpoint/CaptureShard.ts` begins one at the end of an epoch e and asks for pieces between batches; `Restore.ts` loads them
 * again. A base gives every entry, an increment those that changed since the capture before began.
 *
 * **What must hold**: an entry is given as it is when its piece is made, so a piece may be newer than e. Loading the base, the
 * increments after it in their order, every delta after e, and then bringing it to the time of the record in force gives the
 * state of that record, whenever pieces were made, as long as that record is at or after the last piece (a snapshot is named
 * only then). It holds where deltas hold absolute values and say what was removed otherwise than by time, and where an
 * increment does the same of every entry that changed. A state for which a piece must not be newer than e takes references
 * to what it holds when the capture begins, which costs a pointer an entry, and encodes them piece by piece.
 *
 * A capture may be given up at any time; the next one is a base. One is open at a time.
 */
export type CaptureKind = "base" | "increment"

export interface Capture {
  /** The next piece: something that `load` takes, of about `entriesMax` entries; undefined when all was given. */
  readonly next: (entriesMax: number) => unknown
}

/** Something that can be on a `ChangeList`; begins with 0. */
export interface Listed {
  /** The list's round in which it was put there last; negative: it is gone. */
  listedIn: number
}

export const gone = -1
const compactFrom = 1024

/** Entries that changed since the capture before began, each once. Those that are gone are let go. */
export class ChangeList<A extends Listed> {
  private round = 1
  private items: Array<A> = []
  private compactAt = compactFrom
  private readonly stays: (item: A) => boolean

  /** `stays`: it is not gone, which `listedIn` tells if nothing else does. */
  constructor(stays: (item: A) => boolean = ({ listedIn }) => listedIn !== gone) {
    this.stays = stays
  }

  add(item: A): void {
    if (item.listedIn === this.round || item.listedIn === gone) return
    item.listedIn = this.round
    if (this.items.push(item) < this.compactAt) return
    this.items = this.items.filter(this.stays)
    this.compactAt = Math.max(compactFrom, 2 * this.items.length)
  }

  /** The list, and begins another. */
  take(): ReadonlyArray<A> {
    const { items } = this
    this.items = []
    this.compactAt = compactFrom
    this.round++
    return items
  }
}

/**
 * At most `itemsMax` items, in pieces: of a map, those that it had at the beginning come before those that are added
 * meanwhile, so the number it had is enough. `encode` gives undefined where a piece would be empty.
 */
export const inPieces = <A>(
  items: Iterable<A>,
  itemsMax: number,
  encode: (items: ReadonlyArray<A>) => unknown
): Capture => {
  const iterator = items[Symbol.iterator]()
  let left = itemsMax
  return {
    next: (entriesMax) => {
      while (left > 0) {
        const taken: Array<A> = []
        while (taken.length < entriesMax && left > 0) {
          const { done, value } = iterator.next()
          if (done === true) left = 0
          else {
            taken.push(value)
            left--
          }
        }
        const piece = taken.length === 0 ? undefined : encode(taken)
        if (piece !== undefined) return piece
      }
      return undefined
    }
  }
}

/** One capture after the other. */
export const inTurn = (...captures: ReadonlyArray<Capture>): Capture => {
  let at = 0
  return {
    next: (entriesMax) => {
      for (; at < captures.length; at++) {
        const piece = captures[at]!.next(entriesMax)
        if (piece !== undefined) return piece
      }
      return undefined
    }
  }
}
