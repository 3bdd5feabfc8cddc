/** A file of generated transactions, one a millisecond, for benchmarks that were given none. */
import { closeSync, openSync, writeSync } from "node:fs"
import { makeTransactions } from "@frazil/sim"

export const generateFile = (file: string, events: number): void => {
  const generator = makeTransactions({ seed: 42 })
  const descriptor = openSync(file, "w")
  const buffer = new Uint8Array(1 << 20)
  let used = 0
  for (let index = 0; index < events; index++) {
    const record = generator.next(1_768_434_300_000 + index)
    if (used + record.length + 1 > buffer.length) {
      writeSync(descriptor, buffer, 0, used)
      used = 0
    }
    buffer.set(record.bytes.subarray(0, record.length), used)
    used += record.length
    buffer[used++] = 10
  }
  writeSync(descriptor, buffer, 0, used)
  closeSync(descriptor)
}
