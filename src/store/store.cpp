#include "store/store.hpp"

namespace accounting::store {

StoreFailure::StoreFailure(FailureKind kind, const std::string& message)
    : std::runtime_error(message), kind_(kind) {}
StoreFailure::~StoreFailure() = default;

}  // namespace accounting::store
