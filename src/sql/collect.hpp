// Collect: what a query does with its rows.
#pragma once

#include "accounting/types.hpp"
#include "sql/batch.hpp"
#include "sql/rows.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace accounting::sql {

/// Reads each row to the end of a list.
template <class List, class Read>
Batch::UseRows append_to(List& list, Read read) {
  return [&list, read](const Rows& rows) {
    list.reserve(rows.size());
    for (const Row& row : rows) {
      list.push_back(read(row));
    }
  };
}

/// Takes the one number of the one row.
inline Batch::UseRows assign_integer(std::int64_t& number) {
  return [&number](const Rows& rows) { number = RowReader(rows.front()).integer(); };
}

template <class Item>
Page<Item> page_of(std::vector<Item> items, std::int64_t total, std::int64_t page,
                   std::int64_t limit) {
  return {.items = std::move(items),
          .total = total,
          .page = page,
          .total_pages = total / limit + (total % limit != 0 ? 1 : 0)};
}

}  // namespace accounting::sql
