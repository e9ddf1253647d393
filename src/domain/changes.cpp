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

const std::string& user_of(const SessionChange& change) { return change.record.session.user_id; }
const std::string& user_of(const auto& row) { return row.user_id; }

template <class Row>
void drop_last_rows(std::vector<Row>& rows, const std::string& user_id) {
  while (!rows.empty() && user_of(rows.back()) == user_id) {
    rows.pop_back();
  }
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

void Changes::reserve(std::size_t charges) {
  counters.reserve(charges);
  allocations.reserve(charges);
  usage_records.reserve(charges);
  entries.reserve(charges);
  rollups.reserve(charges);
}

void Changes::drop_last(const std::string& user_id) {
  drop_last_rows(counters, user_id);
  drop_last_rows(new_allocations, user_id);
  drop_last_rows(allocations, user_id);
  drop_last_rows(sessions, user_id);
  drop_last_rows(slices, user_id);
  drop_last_rows(usage_records, user_id);
  drop_last_rows(entries, user_id);
  drop_last_rows(rollups, user_id);
  drop_last_rows(keys, user_id);
}

}  // namespace accounting::domain
