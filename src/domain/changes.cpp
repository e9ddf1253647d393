#include "domain/changes.hpp"

#include <iterator>

namespace accounting::domain {
namespace {

template <class Row>
void append_rows(std::vector<Row>& rows, std::vector<Row>& others) {
  if (rows.empty()) {
    rows.swap(others);
    return;
  }
  rows.insert(rows.end(), std::make_move_iterator(others.begin()),
              std::make_move_iterator(others.end()));
}

}  // namespace

void Changes::append(Changes others) {
  append_rows(counters, others.counters);
  append_rows(new_allocations, others.new_allocations);
  append_rows(allocations, others.allocations);
  append_rows(sessions, others.sessions);
  append_rows(slices, others.slices);
  append_rows(usage_records, others.usage_records);
  append_rows(entries, others.entries);
  append_rows(rollups, others.rollups);
  append_rows(keys, others.keys);
}

}  // namespace accounting::domain
