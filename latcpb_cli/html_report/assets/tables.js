// Tables whose rows are buttons and whose columns sort.

const TABLE_ROWS = 200;

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

// `columns` are {key, heading, digits, value, ascending}: `value` gives that of a row, and the largest comes first
// unless `ascending`. Rows are numbers; `label` names one, `pick` is called with the one that is chosen.
class SortableTable {
  constructor(table, { first, columns, label, describe, pick }) {
    Object.assign(this, { first, columns, label, describe });
    this.head = table.querySelector("thead tr");
    this.body = table.querySelector("tbody");
    this.sort = null;
    this.body.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) pick(Number(button.dataset.row));
    });
  }

  // Columns without a value are left out.
  fill(rows) {
    this.rows = rows;
    const columns = this.columns.filter((column) => rows.some((row) => column.value(row) !== null));
    if (!columns.some(({ key }) => key === this.sort?.key)) this.sort = columns[0] ? { key: columns[0].key, reverse: false } : null;
    this.fillHead(columns);
    const column = columns.find(({ key }) => key === this.sort?.key);
    this.body.replaceChildren(...this.sorted(column).slice(0, TABLE_ROWS).map((row) => this.row(row, columns)));
  }

  sorted(column) {
    if (!column) return this.rows;
    const sign = (column.ascending ? -1 : 1) * (this.sort.reverse ? -1 : 1);
    const values = new Map(this.rows.map((row) => [row, column.value(row)]));
    const isMissing = (row) => values.get(row) === null;
    return [...this.rows].sort((a, b) => isMissing(a) - isMissing(b) || sign * (values.get(b) - values.get(a)) || a - b);
  }

  fillHead(columns) {
    const cells = columns.map((column) => {
      const chosen = column.key === this.sort?.key;
      const button = element("button", { type: "button", textContent: column.heading });
      button.addEventListener("click", () => {
        this.sort = { key: column.key, reverse: chosen && !this.sort.reverse };
        this.fill(this.rows);
        [...this.head.querySelectorAll("button")].find(({ textContent }) => textContent === column.heading).focus();
      });
      const cell = element("th", { scope: "col", className: "number" }, button);
      const ascending = Boolean(column.ascending) !== Boolean(this.sort?.reverse);
      cell.ariaSort = chosen ? (ascending ? "ascending" : "descending") : "none";
      return cell;
    });
    this.head.replaceChildren(element("th", { scope: "col", textContent: this.first }), ...cells);
  }

  row(number, columns) {
    const button = element("button", { type: "button", textContent: this.label(number) });
    button.dataset.row = number;
    button.ariaLabel = this.describe(number);
    const cells = columns.map((column) => {
      const value = column.value(number);
      return element("td", { className: "number", textContent: value === null ? "–" : value.toFixed(column.digits) });
    });
    const row = element("tr", {}, element("th", { scope: "row" }, button), ...cells);
    row.dataset.row = number;
    return row;
  }

  mark(number) {
    for (const row of this.body.rows) row.classList.toggle("chosen", Number(row.dataset.row) === number);
  }
}
