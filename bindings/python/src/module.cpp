// accounting._core: the C++ library as the Python package accounting uses it. Private to the
// package, which adds names, defaults, documentation and the value types.
#include "errors.hpp"
#include "gil.hpp"
#include "instants.hpp"
#include "python_side.hpp"
#include "services.hpp"

#include <pybind11/pybind11.h>

PYBIND11_MODULE(_core, module) {
  using namespace accounting::python;
  module.doc() = "The C++ library, for the package accounting only.";
  module.attr("__version__") = ACCOUNTING_VERSION;
  import_datetime();
  import_python_side();
  translate_errors();
  bind_policy(module);
  bind_clock(module);
  bind_accounts(module);
  bind_credits(module);
  bind_pricing(module);
  bind_sessions(module);
  bind_usage(module);
  bind_identity(module);
  bind_books(module);
}
