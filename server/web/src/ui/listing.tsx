/** A list that comes from the server, in its frame: loading, failed, aged, empty, or a row each. */

import type { ComponentChildren } from "preact";
import { Empty, Failure, Skeleton, Stale } from "./components";
import type { Resource } from "./resource";

export interface ListingProps<T> {
  resource: Omit<Resource<unknown>, "set">;
  rows: readonly T[];
  /** The titles of the columns; an empty one for a column of buttons. */
  head: readonly string[];
  row: (row: T) => ComponentChildren;
  /** Said where there are no rows. */
  empty: ComponentChildren;
  /** Lines of the skeleton. */
  lines: number;
  /** Below the rows. */
  children?: ComponentChildren;
}

export function Listing<T>({ resource: { data, error, slow, at, reload }, rows, head, row, empty, lines, children }: ListingProps<T>) {
  return (
    <>
      {data === undefined ? <Failure error={error} retry={reload} /> : <Stale at={at} error={error} retry={reload} />}
      {slow && <Skeleton lines={lines} />}
      {data !== undefined && (
        <section class="card">
          {rows.length === 0 ? (
            <Empty>{empty}</Empty>
          ) : (
            <table class="list">
              <thead>
                <tr>
                  {head.map((title, column) => (
                    <th key={column}>{title}</th>
                  ))}
                </tr>
              </thead>
              <tbody>{rows.map(row)}</tbody>
            </table>
          )}
          {children}
        </section>
      )}
    </>
  );
}
