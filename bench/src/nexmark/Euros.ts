/** Dollars in euros at Nexmark's rate, exactly. */
import { Decimal } from "@frazil/core"

const rate = Decimal.of("0.908", 3)

export const eurosOf = (dollars: number): Decimal<3> => rate.times(dollars, 3)
