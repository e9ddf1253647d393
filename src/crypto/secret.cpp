#include "crypto/secret.hpp"

#include <openssl/crypto.h>

#include <algorithm>

namespace accounting::crypto {

void wipe(std::string& text) noexcept {
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

Secret::Secret(std::string_view bytes)
    : size_(bytes.size()), bytes_(std::make_unique<char[]>(bytes.size())) {
  std::ranges::copy(bytes, bytes_.get());
}

Secret::~Secret() {
  if (bytes_ != nullptr) {
    OPENSSL_cleanse(bytes_.get(), size_);
  }
}

}  // namespace accounting::crypto
