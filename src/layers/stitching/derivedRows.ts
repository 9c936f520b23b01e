import { Stream } from "effect"
import type { Bar } from "../../domain/Bar.ts"
import type { CoverageInterval } from "../../domain/Coverage.ts"
import { hadIn } from "../../domain/derivedCoverage.ts"
import type { DerivedBars } from "../../services/DerivedBars.ts"
import type { MarketStoreError } from "../../services/MarketStore.ts"

/** The rows of an answer of derived bars with that coverage: those of which everything is known. */
export const derivedRows = (
  { bars }: DerivedBars,
  coverage: ReadonlyArray<CoverageInterval>
): Stream.Stream<Bar, MarketStoreError> => Stream.flatMap(Stream.fromIterable(hadIn(coverage)), bars)
