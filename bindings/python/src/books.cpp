// The books themselves: opening, transactions, upkeep.
#include "answers.hpp"
#include "arguments.hpp"
#include "options.hpp"
#include "services.hpp"

#include <pybind11/typing.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace accounting::python {
namespace {

using py::arg;
using py::handle;

/// A transaction as Python sees it: its own, or one that `transact` lends for the time of a call.
class PythonTransaction {
 public:
  explicit PythonTransaction(std::shared_ptr<Transaction> transaction)
      : transaction_(std::move(transaction)) {}

  /// The transaction; only for the thread that began it.
  Transaction& get() const {
    if (std::this_thread::get_id() != thread_) {
      throw Conflict("the transaction belongs to another thread");
    }
    if (!transaction_) {
      throw Conflict("the transaction has ended");
    }
    return *transaction_;
  }
  /// Gives back what was lent.
  void end() { transaction_.reset(); }

 private:
  std::shared_ptr<Transaction> transaction_;
  std::thread::id thread_ = std::this_thread::get_id();
};

using HeldBooks = Held<Accounting>;
using HeldTransaction = Held<PythonTransaction>;
using Work = py::typing::Callable<py::object(HeldTransaction)>;

std::chrono::milliseconds to_timeout(handle value, const char* name) {
  return std::chrono::ceil<std::chrono::milliseconds>(to_duration(value, name));
}

/// A refused option as Python has it: one has another name there, and durations are timedeltas.
InvalidArgument in_terms_of_python(const InvalidArgument& error) {
  const std::string& option = error.argument();
  if (option == "database") {
    return {"url", error.expected()};
  }
  if (option == "call_timeout") {
    return {option, "a timedelta from 2 seconds to a day"};
  }
  if (option.ends_with("_timeout")) {
    return {option, "a timedelta from 1 ms to a day"};
  }
  if (option == "policy.session_ttl") {
    return {option, "a timedelta above 0, at most 1,000,000 days"};
  }
  return error;
}

HeldBooks open(handle url, handle policy, std::optional<std::shared_ptr<ManualClock>> clock,
               handle pool_size, handle migrate, handle call_timeout, handle pool_timeout,
               handle connect_timeout, handle statement_timeout, handle lock_timeout,
               handle tcp_user_timeout, handle max_attempts, handle pipeline,
               handle share_statements, handle api_key_prefix, handle api_key_pepper, handle log) {
  Arguments arguments{{"url", url}, {"migrate", migrate}};
  Options options{.database = arguments.optional_text("url").value_or(""),
                  .policy = to_policy(policy),
                  .clock = clock ? std::move(*clock) : nullptr,
                  .pool_size = to_integer(pool_size, "pool_size"),
                  .migrate = arguments.optional_boolean("migrate"),
                  .call_timeout = to_timeout(call_timeout, "call_timeout"),
                  .pool_timeout = to_timeout(pool_timeout, "pool_timeout"),
                  .connect_timeout = to_timeout(connect_timeout, "connect_timeout"),
                  .statement_timeout = to_timeout(statement_timeout, "statement_timeout"),
                  .lock_timeout = to_timeout(lock_timeout, "lock_timeout"),
                  .tcp_user_timeout = to_timeout(tcp_user_timeout, "tcp_user_timeout"),
                  .max_attempts = to_integer(max_attempts, "max_attempts"),
                  .pipeline = to_boolean(pipeline, "pipeline"),
                  .share_statements = to_boolean(share_statements, "share_statements"),
                  .api_key_prefix = to_text(api_key_prefix, "api_key_prefix"),
                  .api_key_pepper = {},
                  .log = to_log_sink(log)};
  if (!api_key_pepper.is_none()) {
    options.api_key_pepper = to_secret(api_key_pepper, "api_key_pepper").text;
  }
  struct Wiped {
    std::string& pepper;
    ~Wiped() { const SecretText wiped(std::move(pepper)); }
  } const at_the_end{options.api_key_pepper};
  try {
    return HeldBooks(without_gil([&] { return Accounting::open(options); }));
  } catch (const InvalidArgument& error) {
    throw in_terms_of_python(error);
  }
}

/// Runs `work` once, with the transaction that was lent to it.
py::object call_with(Transaction& transaction, const Work& work) {
  const std::shared_ptr<Transaction> lent(&transaction, [](Transaction*) {});
  const py::object python_transaction = py::cast(HeldTransaction(PythonTransaction(lent)));
  struct Return {
    PythonTransaction& borrowed;
    ~Return() { borrowed.end(); }
  } const at_the_end{**python_transaction.cast<HeldTransaction*>()};
  return work(python_transaction);
}

py::object transact(HeldBooks& books, const Work& work, handle users) {
  const std::vector<std::string> names = to_names(users, "users");
  py::object answer;
  // Ctrl-C and the like end it for good, also where the database would have asked for another try.
  std::exception_ptr interrupted;
  without_gil([&] {
    books->transact(
        [&](Transaction& transaction) {
          if (interrupted) {
            std::rethrow_exception(interrupted);
          }
          const AcquiredGil acquired;
          try {
            answer = call_with(transaction, work);
          } catch (const py::error_already_set& error) {
            if (!error.matches(PyExc_Exception)) {
              interrupted = std::current_exception();
            }
            throw;
          }
        },
        names);
  });
  return answer;
}

void bind_transaction(py::module_& module) {
  // Whoever still has a service can still call it: the transaction must not end under that call.
  const py::keep_alive<0, 1> kept;
  py::class_<HeldTransaction>(module, "Transaction")
      .def(
          "accounts", [](HeldTransaction& tx) { return Held(tx->get().accounts()); }, kept)
      .def(
          "credits", [](HeldTransaction& tx) { return Held(tx->get().credits()); }, kept)
      .def(
          "sessions", [](HeldTransaction& tx) { return Held(tx->get().sessions()); }, kept)
      .def(
          "usage", [](HeldTransaction& tx) { return Held(tx->get().usage()); }, kept)
      .def(
          "pricing", [](HeldTransaction& tx) { return Held(tx->get().pricing()); }, kept)
      .def(
          "api_keys", [](HeldTransaction& tx) { return Held(tx->get().api_keys()); }, kept)
      .def("commit", [](HeldTransaction& tx) { without_gil([&] { tx->get().commit(); }); })
      .def("rollback", [](HeldTransaction& tx) { without_gil([&] { tx->get().rollback(); }); });
}

}  // namespace

void bind_books(py::module_& module) {
  bind_transaction(module);
  py::class_<HeldBooks>(module, "Books")
      .def("accounts", [](HeldBooks& books) { return Held(books->accounts()); })
      .def("credits", [](HeldBooks& books) { return Held(books->credits()); })
      .def("sessions", [](HeldBooks& books) { return Held(books->sessions()); })
      .def("usage", [](HeldBooks& books) { return Held(books->usage()); })
      .def("pricing", [](HeldBooks& books) { return Held(books->pricing()); })
      .def("api_keys", [](HeldBooks& books) { return Held(books->api_keys()); })
      .def("audit", [](HeldBooks& books) { return Held(books->audit()); })
      .def(
          "authenticate",
          [](HeldBooks& books, handle token, const JwtVerifier& verifier) {
            const SecretText presented = to_presented(token, "token");
            return without_gil([&] { return books->authenticate(presented.text, verifier); });
          },
          arg("token"), arg("verifier"))
      .def(
          "on_behalf_of_principal",
          [](HeldBooks& books, handle principal) {
            return Held(books->on_behalf_of(to_principal(principal)));
          },
          arg("principal"))
      .def(
          "on_behalf_of_key",
          [](HeldBooks& books, handle identity) {
            return Held(books->on_behalf_of(to_key_identity(identity)));
          },
          arg("identity"))
      .def("transact", &transact, arg("work"), arg("users"))
      .def(
          "transaction",
          [](HeldBooks& books, handle users) {
            const std::vector<std::string> names = to_names(users, "users");
            auto begun = without_gil(
                [&] { return std::make_shared<Transaction>(books->transaction(names)); });
            return HeldTransaction(PythonTransaction(std::move(begun)));
          },
          arg("users"))
      .def("migrate",
           [](HeldBooks& books) { return without_gil([&] { return books->migrate(); }); })
      .def("schema_version",
           [](HeldBooks& books) { return without_gil([&] { return books->schema_version(); }); })
      .def("verify", [](HeldBooks& books) { return without_gil([&] { return books->verify(); }); })
      .def(
          "checkpoint",
          [](HeldBooks& books, handle private_key) {
            const SecretText key = to_secret(private_key, "private_key");
            return without_gil([&] { return books->checkpoint(key.text); });
          },
          arg("private_key"))
      .def(
          "verify_checkpoint",
          [](HeldBooks& books, handle checkpoint, handle public_key) {
            const std::string text = to_text(checkpoint, "checkpoint");
            const std::string key = to_text(public_key, "public_key");
            return without_gil([&] { return books->verify_checkpoint(text, key); });
          },
          arg("checkpoint"), arg("public_key"))
      .def("health", [](HeldBooks& books) { return without_gil([&] { return books->health(); }); })
      .def("close", [](HeldBooks& books) { without_gil([&] { books->close(); }); });
  module.def("open", &open, arg("url"), arg("policy"), arg("clock"), arg("pool_size"),
             arg("migrate"), arg("call_timeout"), arg("pool_timeout"), arg("connect_timeout"),
             arg("statement_timeout"), arg("lock_timeout"), arg("tcp_user_timeout"),
             arg("max_attempts"), arg("pipeline"), arg("share_statements"), arg("api_key_prefix"),
             arg("api_key_pepper"), arg("log"));
}

}  // namespace accounting::python
