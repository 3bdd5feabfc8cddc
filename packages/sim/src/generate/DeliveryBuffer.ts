/**
 * The records that wait for delivery, in the order in which they were added, at most `recordsMax` of them.
 *
 * Delivery fills it and takes units from it. A unit is fixed when it is taken: an append whose outcome is unknown must
 * be repeated with exactly the records it had. Pure but for its own state.
 */
import { makeRecordBuilder } from "@frazil/core"
import type { Append } from "@frazil/engine"
import type { GeneratedRecord } from "./RecordSource.ts"

/** What one append carries. */
export interface DeliveryUnit {
  readonly batches: ReadonlyArray<Append>
  readonly records: number
}

export interface DeliveryBuffer {
  readonly add: (partition: number, record: GeneratedRecord) => void
  /** The oldest records as a unit. They stay counted until `release`. Undefined when none wait. */
  readonly next: () => DeliveryUnit | undefined
  readonly release: (unit: DeliveryUnit) => void
  /** Records added and not released. */
  readonly records: () => number
  readonly room: () => number
}

/** About a megabyte of transactions: large enough to be cheap, small enough for one append. */
const unitRecordsMax = 2_500

export const makeDeliveryBuffer = (topic: string, partitions: number, recordsMax: number): DeliveryBuffer => {
  const builders = Array.from({ length: partitions }, () => makeRecordBuilder())
  const sealed: Array<DeliveryUnit> = []
  let filling = 0
  let held = 0

  const seal = (): void => {
    if (filling === 0) return
    const batches = builders.flatMap((builder, partition): Array<Append> =>
      builder.length() === 0 ? [] : [{ topic, partition, records: builder.take() }]
    )
    sealed.push({ batches, records: filling })
    filling = 0
  }
  return {
    add: (partition, record) => {
      builders[partition]!.addRange(record.bytes, 0, record.length, record.keyStart, record.keyEnd)
      filling++
      held++
      if (filling === unitRecordsMax) seal()
    },
    next: () => {
      if (sealed.length === 0) seal()
      return sealed.shift()
    },
    release: (unit) => {
      held -= unit.records
    },
    records: () => held,
    room: () => recordsMax - held
  }
}
