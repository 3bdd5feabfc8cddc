import { assert, describe, it } from "@effect/vitest"
import { printJson } from "../../src/spec/Json.ts"
import { growingList, printDocument, printedList, printedOnce } from "../../src/spec/JsonBytes.ts"

interface Member {
  readonly name: string
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

describe("JsonBytes", () => {
  it("prints lists that grow, shrink, branch off or begin otherwise as printJson does", () => {
    // longer than the bytes that a list begins with, and of more bytes than characters
    const [a, b, c, d] = ["a", "é", "c", "d"].map((name): Member => ({ name: name.repeat(3000) }))
    const lists = [[a!], [a!, b!], [a!, b!, c!], [a!, b!], [a!, c!, b!, d!], [b!, c!], [], [a!, d!], [a!, b!, c!, d!]]
    const toJson = ({ name }: Member) => ({ name, id: 9_223_372_036_854_775_807n })
    const print = growingList(toJson)
    for (const list of [...lists, ...lists.toReversed()]) {
      assert.strictEqual(textOf(print(list)), printJson(list.map(toJson)))
    }
  })

  it("prints a member once", () => {
    let printed = 0
    const print = printedOnce(({ name }: Member) => ({ name, printed: ++printed }))
    const [a, b] = [{ name: "a" }, { name: "b" }]
    assert.deepStrictEqual(
      [print(a), print(b), print(a)],
      ['{"name":"a","printed":1}', '{"name":"b","printed":2}', '{"name":"a","printed":1}']
    )
  })

  it("prints a document as printJson does, each member that is printed already on a line of its own", () => {
    const members = [{ name: "ü" }, { name: "b" }]
    const print = growingList((member: Member) => ({ ...member }))
    const document = { first: members, 'a "key"': 1, none: [], last: members, null: null }
    const printed = {
      first: print(members),
      'a "key"': 1,
      none: print([]),
      last: printedList(members.map(printedOnce((member: Member) => ({ ...member })))),
      null: null
    }
    const lines = textOf(printDocument(printed)).split("\n")
    assert.strictEqual(lines.join(""), printJson(document))
    assert.deepStrictEqual(
      lines.map((line) => line.slice(0, 8)),
      ["{", '"first":', '"none":[', '"last":[']
    )
    assert.strictEqual(textOf(printDocument({})), "{}")
  })
})
