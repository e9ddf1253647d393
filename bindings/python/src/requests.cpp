#include "requests.hpp"

#include <string>
#include <utility>

namespace accounting::python {
namespace {

/// The items of `requests`; a dict is one request, not several.
std::vector<py::object> items_of(py::handle requests) {
  const bool is_list = py::isinstance<py::iterable>(requests) &&
                       PyUnicode_Check(requests.ptr()) == 0 && PyDict_Check(requests.ptr()) == 0;
  if (!is_list) {
    refuse("requests", "a list of dicts", requests);
  }
  std::vector<py::object> items;
  for (const py::handle item : requests) {
    items.push_back(py::reinterpret_borrow<py::object>(item));
  }
  return items;
}

template <class Request>
Request read(py::handle item, Request (*request_of)(Arguments&)) {
  Arguments arguments(item);
  Request request = request_of(arguments);
  arguments.check_names();
  return request;
}

/// All of them; an error says which one it is about.
template <class Request>
std::vector<Request> read_all(py::handle requests, Request (*request_of)(Arguments&)) {
  std::vector<Request> answers;
  for (const py::object& item : items_of(requests)) {
    const std::string index = "requests[" + std::to_string(answers.size()) + "]";
    try {
      answers.push_back(read(item, request_of));
    } catch (const InvalidArgument& error) {
      const bool whole = error.argument() == "request";
      throw InvalidArgument(whole ? index : index + "." + error.argument(), error.expected());
    }
  }
  return answers;
}

}  // namespace

AllocateRequest allocate_request(Arguments& arguments) {
  return {.user_id = arguments.text("user_id"),
          .credits = arguments.integer("credits"),
          .allocated_by = arguments.text("allocated_by"),
          .expiry_days = arguments.optional_integer("expiry_days"),
          .expires_at = arguments.optional_instant("expires_at"),
          .never_expires = arguments.boolean_or("never_expires", false),
          .effective_at = arguments.optional_instant("effective_at"),
          .notes = arguments.text_or("notes", ""),
          .idempotency_key = arguments.optional_text("idempotency_key")};
}

ChargeRequest charge_request(Arguments& arguments) {
  return {.user_id = arguments.text("user_id"),
          .service = arguments.text("service"),
          .operation = arguments.text("operation"),
          .credits = arguments.integer("credits"),
          .metadata = arguments.optional_json("metadata"),
          .idempotency_key = arguments.optional_text("idempotency_key")};
}

RecordRequest record_request(Arguments& arguments) {
  return {.user_id = arguments.text("user_id"),
          .service = arguments.text("service"),
          .operation = arguments.text("operation"),
          .credits = arguments.integer("credits"),
          .metadata = arguments.optional_json("metadata"),
          .idempotency_key = arguments.optional_text("idempotency_key")};
}

std::vector<AllocateRequest> allocate_requests(py::handle requests) {
  return read_all(requests, allocate_request);
}

std::vector<RecordRequest> record_requests(py::handle requests) {
  return read_all(requests, record_request);
}

ChargeRequests charge_requests(py::handle requests) {
  ChargeRequests answer;
  for (const py::object& item : items_of(requests)) {
    std::exception_ptr error;
    try {
      answer.readable.push_back(read(item, charge_request));
    } catch (const InvalidArgument&) {
      error = std::current_exception();
    }
    answer.errors.push_back(std::move(error));
  }
  return answer;
}

}  // namespace accounting::python
