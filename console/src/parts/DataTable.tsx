import { Table } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import classes from "./DataTable.module.css";

export interface Column<Row> {
  label: string;
  cell: (row: Row) => ReactNode;
}

interface Props<Row> {
  label: string;
  empty: string;
  rows: Row[];
  /** The first column; it leads to the form. */
  name: Column<Row>;
  to: (row: Row) => string;
  columns: Column<Row>[];
}

/** A table on a desk, cards on a telephone. */
export function DataTable<Row extends { id: string }>({ label, empty, rows, name, to, columns }: Props<Row>) {
  return (
    <Table className={classes["table"] ?? ""} aria-label={label} verticalSpacing="xs" highlightOnHover>
      <Table.Thead>
        <Table.Tr>
          {[name, ...columns].map((column) => (
            <Table.Th key={column.label} scope="col">
              {column.label}
            </Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map((row) => (
          <Table.Tr key={row.id} data-testid="row">
            <Table.Th scope="row">
              <Link className={classes["link"]} to={to(row)}>
                {name.cell(row)}
              </Link>
            </Table.Th>
            {columns.map((column) => (
              <Table.Td key={column.label} data-label={column.label}>
                {column.cell(row)}
              </Table.Td>
            ))}
          </Table.Tr>
        ))}
        {rows.length === 0 && (
          <Table.Tr>
            <Table.Td colSpan={columns.length + 1} c="dimmed" ta="center" py="xl">
              {empty}
            </Table.Td>
          </Table.Tr>
        )}
      </Table.Tbody>
    </Table>
  );
}
