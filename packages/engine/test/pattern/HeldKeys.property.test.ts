/** Numbers of the keys that records wait of, against maps by their texts: found by text and by bytes, told what is open, forgotten. */
import { assert, describe, it } from "@effect/vitest"
import { HeldKeys } from "../../src/pattern/HeldKeys.ts"
import { makeChance } from "../support/Chance.ts"

const encoder = new TextEncoder()

interface Model {
  waiting: number
  beginning: number
}

describe("held keys", () => {
  it("are one number each while a record waits, however many come and go, with what is open of them", () => {
    for (let seed = 1; seed <= 3; seed++) {
      const chance = makeChance(seed)
      const keys = new HeldKeys(1)
      const model = new Map<string, Model>()
      const open = new Set<string>()
      const numberOf = new Map<string, number>()
      let foundByBytes = 0
      const numbered = (text: string): number => {
        const bytes = encoder.encode(text)
        const view = new DataView(bytes.buffer)
        const known = keys.ofBytes(view, 0, bytes.length)
        if (known !== undefined) foundByBytes++
        const key = known ?? keys.of(text, (asked) => open.has(asked))
        if (known === undefined) keys.remember(view, 0, bytes.length, key)
        assert.strictEqual(
          keys.of(text, () => assert.fail("it is known")),
          key
        )
        return key
      }
      for (let step = 0; step < 20_000; step++) {
        // some come again and again, most never
        const text = `k${chance.once(2) ? chance.below(50) : chance.below(8_000)}`
        const key = numbered(text)
        const held = model.get(text)
        if (held !== undefined) assert.strictEqual(key, numberOf.get(text), "a number stays its key's")
        assert.strictEqual(keys.textOf(key), text)
        assert.strictEqual(keys.isOpen(key), open.has(text))
        assert.strictEqual(keys.mayBegin(key), (held?.beginning ?? 0) > 0)
        const begins = chance.once(3)
        keys.enter(key)
        if (begins) keys.begins(key)
        model.set(text, {
          waiting: (held?.waiting ?? 0) + 1,
          beginning: (held?.beginning ?? 0) + Number(begins)
        })
        numberOf.set(text, key)
        if (chance.once(3)) {
          if (!open.delete(text)) open.add(text)
          keys.changed(text, open.has(text))
        }
        // about as many leave as come
        for (let more = chance.below(3); more > 0 && model.size > 0; more--) {
          const [leaving, left] = [...model][chance.below(Math.min(model.size, 20))]!
          const number = numberOf.get(leaving)!
          if (left.beginning === left.waiting) {
            keys.beginsNoMore(number)
            left.beginning--
          }
          keys.leave(number)
          if (--left.waiting === 0) model.delete(leaving)
          assert.strictEqual(keys.find(leaving), left.waiting === 0 ? undefined : number)
        }
      }
      const numbers = new Set(Array.from(model.keys(), (text) => numberOf.get(text)))
      assert.strictEqual(numbers.size, model.size, `seed ${seed}: no number is two keys'`)
      assert.isAbove(foundByBytes, 1_000)
    }
  })

  it("remember what changed nothing until something of the key changes", () => {
    const keys = new HeldKeys(1)
    const key = keys.of("a", () => true)
    const cells = [["FR", "DE", "FR"]]
    assert.isFalse(keys.isLikeUnmoved(key, 2, cells, 0))
    keys.leftUnmoved(key, 2, cells, 0)
    assert.isTrue(keys.isLikeUnmoved(key, 2, cells, 2))
    assert.isFalse(keys.isLikeUnmoved(key, 2, cells, 1))
    assert.isFalse(keys.isLikeUnmoved(key, 3, cells, 2))
    keys.changed("a", true)
    assert.isFalse(keys.isLikeUnmoved(key, 2, cells, 2))
  })

  it("are forgotten when no record of them waits and there are many", () => {
    const keys = new HeldKeys(0)
    let asked = 0
    const isOpen = () => {
      asked++
      return false
    }
    const enterAndLeave = (text: string) => {
      const key = keys.of(text, isOpen)
      keys.enter(key)
      keys.leave(key)
      return key
    }
    let highest = 0
    for (let at = 0; at < 10_000; at++) highest = Math.max(highest, enterAndLeave(`k${at}`))
    // a number is used again for another key
    assert.isBelow(highest, 2_048)
    const before = asked
    enterAndLeave("k0")
    assert.strictEqual(asked, before + 1)
  })
})
