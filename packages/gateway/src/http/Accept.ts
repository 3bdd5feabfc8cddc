/** Which of several media types whoever asks would rather have (RFC 9110, 12.5.1). Pure. */

interface Wanted {
  readonly type: string
  readonly quality: number
}

const wantedTypes = (accept: string): ReadonlyArray<Wanted> =>
  accept.split(",").flatMap((part) => {
    const [type = "", ...parameters] = part.split(";").map((each) => each.trim().toLowerCase())
    const quality = Number(parameters.find((each) => each.startsWith("q="))?.slice(2) ?? 1)
    return type === "" || Number.isNaN(quality) ? [] : [{ type, quality }]
  })

/** The more is said about a type, the more it counts: `text/csv` over a star for its second part, over two. */
const precision = (type: string, wanted: string): number =>
  wanted === type ? 3 : wanted === `${type.split("/")[0]}/*` ? 2 : wanted === "*/*" ? 1 : 0

/** The first of the best; undefined when none will do. Without a wish the first. */
export const negotiate = <T extends string>(accept: string | undefined, offered: ReadonlyArray<T>): T | undefined => {
  if (accept === undefined || accept.trim() === "") return offered[0]
  const wanted = wantedTypes(accept)
  const qualityOf = (type: string): number => {
    const [best] = wanted
      .map((each) => ({ ...each, precision: precision(type, each.type) }))
      .filter((each) => each.precision > 0)
      .sort((a, b) => b.precision - a.precision)
    return best?.quality ?? 0
  }
  const scored = offered.map((type) => ({ type, quality: qualityOf(type) })).filter(({ quality }) => quality > 0)
  return scored.reduce<(typeof scored)[number] | undefined>(
    (best, each) => (best === undefined || each.quality > best.quality ? each : best),
    undefined
  )?.type
}
