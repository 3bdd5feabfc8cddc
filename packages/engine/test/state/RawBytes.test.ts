/** Bytes beside the JSON of a delta: they come back as they were, whatever they are, and older deltas have none. */
import { assert, describe, it } from "@effect/vitest"
import type { OperatorState } from "../../src/state/OperatorState.ts"
import { applyEncoded, encodeDelta } from "../../src/state/StateCodec.ts"

const utf8 = new TextEncoder()
const texts = ['{"a":"é\\n"}', '{\n "b" : 1\n}', "", '{"c":"\\"\\\\"}']

/** Keeps texts; its entries say where their bytes lie. */
const keeping = (name: string, given: ReadonlyArray<string>) => {
  const loaded: Array<string> = []
  const state: OperatorState = {
    name,
    takeDelta: (raw) =>
      given.map((text) => {
        const begin = raw.length
        // among other bytes, as records lie in a batch
        const bytes = utf8.encode(`##${text}##`)
        raw.add(bytes, 2, bytes.length - 2)
        return [begin, raw.length]
      }),
    capture: () => ({ next: () => undefined }),
    load: (entries, raw = new Uint8Array(0)) => {
      // made by takeDelta above
      for (const [from, to] of entries as ReadonlyArray<readonly [number, number]>)
        loaded.push(new TextDecoder().decode(raw.slice(from, to)))
    },
    size: () => given.length
  }
  return { state, loaded }
}

describe("bytes beside a delta", () => {
  it("come back to the operators that gave them, newlines and quotes as they were", () => {
    const given = [keeping("one", texts), keeping("none", []), keeping("other", texts.toReversed())]
    const delta = encodeDelta(given.map(({ state }) => state))
    const read = given.map(({ state }) => keeping(state.name, []))
    applyEncoded(
      read.map(({ state }) => state),
      delta
    )
    assert.deepStrictEqual(
      read.map(({ loaded }) => loaded),
      [texts, [], texts.toReversed()]
    )
  })

  it("are none where no operator gives any: older programs read such a delta", () => {
    const delta = new TextDecoder().decode(encodeDelta([keeping("none", []).state]))
    assert.strictEqual(delta, '{"version":2,"sections":[{"operator":"none","entries":[]}]}')
  })
})
