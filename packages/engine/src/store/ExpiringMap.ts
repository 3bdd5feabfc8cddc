/**
 * A map larger than memory whose entries are over at a time that is written with them: `StoredMap` for operators that tell it.
 *
 * What is over by the watermark of the last capture counts as nothing, and may be dropped when segments are merged; so who reads
 * an entry judges it by the time. What an entry replaces may live longer than the entry itself, so captures give also what is
 * over wherever they may have given what it replaced.
 */
import type { DiskStore } from "../flow/Node.ts"
import type { Capture, CaptureKind } from "../state/Capture.ts"
import { EmbeddedStore } from "./EmbeddedStore.ts"
import type { OpenStore } from "./OpenStore.ts"
import { type StoredCounts, StoredMap } from "./StoredMap.ts"

/** What to open, and how values look as plain JSON. */
export interface ExpiringMapOptions<V> {
  readonly name: string
  readonly store: DiskStore
  readonly open: OpenStore
  readonly encode: (value: V) => unknown
  readonly decode: (encoded: unknown) => V
}

const pairOf = <V>([key, value]: readonly [key: string, value: V, time: number]) => [key, value] as const

export class ExpiringMap<V> {
  private readonly entries: StoredMap<V>
  /** The watermark of the last capture. */
  private forgottenAt = Number.NEGATIVE_INFINITY

  constructor({ decode, encode, name, open, store }: ExpiringMapOptions<V>) {
    const over = (overAt: number) => overAt <= this.forgottenAt
    const { cacheBytesMax } = store
    this.entries = new StoredMap({ store: new EmbeddedStore({ ...open(name), over }), cacheBytesMax, encode, decode })
  }

  /** Keys, with those that are over but were not dropped yet. */
  get size(): number {
    return this.entries.size
  }

  /** Whoever changes the value in place calls `set` before the next call of any kind. */
  get(key: string): V | undefined {
    return this.entries.get(key)?.value
  }

  /** From the watermark `overAt` on the value is nothing; +Infinity: not before it is set again. */
  set(key: string, value: V, overAt: number): void {
    this.entries.set(key, value, overAt)
  }

  /** The value as JSON, for whoever tells it. */
  told(key: string): unknown {
    return this.entries.told(key)?.encoded
  }

  /** Entries in place of whatever was given of their keys before; undefined: nothing is there. */
  capture(
    kind: CaptureKind,
    watermark: number,
    encode: (entries: ReadonlyArray<readonly [key: string, value: V | undefined]>, first: boolean) => unknown
  ): Capture {
    this.forgottenAt = watermark
    const base = kind === "base"
    return this.entries.capture(kind, {
      ofStore: (some) => {
        const given = base ? some.filter(([, , overAt]) => overAt > watermark) : some
        return given.length === 0 ? undefined : encode(given.map(pairOf), base)
      },
      ofCache: (some) => encode(some.map(pairOf), false)
    })
  }

  counts(): StoredCounts {
    return this.entries.counts()
  }

  close(): void {
    this.entries.close()
  }
}
