// Requests that come in two forms: as the arguments of one call, and as dicts of a `_many` call.
#pragma once

#include "arguments.hpp"

#include <exception>
#include <vector>

namespace accounting::python {

AllocateRequest allocate_request(Arguments& arguments);
ChargeRequest charge_request(Arguments& arguments);
RecordRequest record_request(Arguments& arguments);

std::vector<AllocateRequest> allocate_requests(py::handle requests);
std::vector<RecordRequest> record_requests(py::handle requests);

/// Requests that stand each by itself: those that could be read, and for every one given either
/// no error or why it could not.
struct ChargeRequests {
  std::vector<ChargeRequest> readable;
  std::vector<std::exception_ptr> errors;
};
ChargeRequests charge_requests(py::handle requests);

}  // namespace accounting::python
