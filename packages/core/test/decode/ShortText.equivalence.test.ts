/** Texts that are found again against texts that are made anew. */
import { Buffer } from "node:buffer"
import { expect, it } from "vitest"
import { shortTexts } from "../../src/decode/ShortText.ts"

it("gives what a decoder of UTF-8 gives, found again or not", () => {
  const parts = [
    "",
    "a",
    "ab",
    "DE",
    "ACC0000013",
    "é",
    "日本",
    "\u0000",
    "\u007f",
    "𝒳",
    "x".repeat(23),
    "y".repeat(26)
  ]
  const texts = parts.flatMap((left) => parts.map((right) => left + right))
  // of all lengths, and alike but for one byte
  for (let length = 1; length < 26; length++)
    for (let at = 0; at < length; at++) texts.push(`${"z".repeat(at)}-${"z".repeat(length - 1 - at)}`)
  // more texts than there are slots, so that they push each other out
  const many = Array.from({ length: 40_000 }, (_, index) => `k${(index * 7_919) % 40_000}`)
  for (const text of [...texts, ...many, ...texts, ...many]) {
    const bytes = Buffer.from(`<${text}>`)
    if (shortTexts(bytes)(1, bytes.length - 1) !== text) expect.unreachable(`not the text: ${JSON.stringify(text)}`)
  }
  const again = Buffer.from("ACC0000013")
  expect(shortTexts(again)(0, again.length)).toBe("ACC0000013")
})
