#include "crypto/jwt.hpp"

#include "crypto/base64url.hpp"
#include "crypto/json.hpp"
#include "crypto/refusal.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace accounting::crypto {
namespace {

using Json = nlohmann::json;

constexpr std::size_t largest_token = std::size_t{8} * 1024;

/// The three parts as they came.
struct Parts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signed_bytes;  ///< header, dot and payload
};

std::optional<Parts> split(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  if (first == last || token.find('.', first + 1) != last) {
    return std::nullopt;
  }
  return Parts{.header = token.substr(0, first),
               .payload = token.substr(first + 1, last - first - 1),
               .signature = token.substr(last + 1),
               .signed_bytes = token.substr(0, last)};
}

Parts parts_of(std::string_view token) {
  if (token.size() > largest_token) {
    throw Refusal(TokenProblem::too_large, "the token has " + std::to_string(token.size()) +
                                               " bytes; at most 8192 are read");
  }
  const auto parts = split(token);
  if (!parts) {
    const auto dots = std::ranges::count(token, '.');
    throw Refusal(TokenProblem::malformed,
                  "a token has three parts, this has " + std::to_string(dots + 1));
  }
  return *parts;
}

std::string decoded(std::string_view part, const char* name) {
  auto bytes = decode_base64url(part);
  if (!bytes) {
    throw Refusal(TokenProblem::malformed, std::string("the ") + name +
                                               " is not base64url without padding, in the one "
                                               "spelling that its bytes have");
  }
  return *std::move(bytes);
}

struct Header {
  std::string algorithm;
  std::optional<std::string> kid;
};

std::string algorithm_of(const Json& header) {
  const auto algorithm = header.find("alg");
  if (algorithm == header.end()) {
    throw Refusal(TokenProblem::wrong_algorithm, "the header names no alg");
  }
  if (!algorithm->is_string()) {
    throw Refusal(TokenProblem::wrong_algorithm, "the header's alg is not text");
  }
  return algorithm->get<std::string>();
}

std::optional<std::string> kid_of(const Json& header) {
  const auto kid = header.find("kid");
  if (kid == header.end()) {
    return std::nullopt;
  }
  if (!kid->is_string()) {
    throw Refusal(TokenProblem::unsupported_header, "the header's kid is not text");
  }
  return kid->get<std::string>();
}

Header header_of(const std::string& text) {
  const JsonReading header = read_json_object(text);
  if (header.fault != JsonFault::none) {
    throw Refusal(header.fault == JsonFault::duplicate_member ? TokenProblem::duplicate_member
                                                              : TokenProblem::malformed,
                  "the header " + std::string(to_string(header.fault)));
  }
  // Each of them changes what the signature means. Members that only say where a key could be
  // found (jku, jwk, x5u, x5c) are not looked at: the keys are those of the options.
  constexpr std::array<const char*, 3> refused{"crit", "b64", "zip"};
  for (const char* const name : refused) {
    if (header.value.contains(name)) {
      throw Refusal(TokenProblem::unsupported_header,
                    std::string("the header has ") + name + ", which is not supported");
    }
  }
  return {.algorithm = algorithm_of(header.value), .kid = kid_of(header.value)};
}

bool is_selected(const VerificationKey& key, const std::optional<std::string>& kid) {
  return !kid || !key.kid() || *key.kid() == *kid;
}

/// The keys to try, of which there is at least one.
KeyRing keys_for(const Header& header, const KeyRing& keys) {
  KeyRing fitting;
  std::string others;
  for (const auto& key : keys) {
    if (!is_selected(*key, header.kid)) {
      continue;
    }
    if (key->algorithm().name == header.algorithm) {
      fitting.push_back(key);
    } else if (others.find(key->algorithm().name) == std::string::npos) {
      others.append(others.empty() ? "" : ", ").append(key->algorithm().name);
    }
  }
  if (!fitting.empty()) {
    return fitting;
  }
  if (others.empty()) {
    throw Refusal(TokenProblem::unknown_key,
                  "header kid is " + in_quotes(header.kid.value_or("")) + ", which no key has");
  }
  throw Refusal(TokenProblem::wrong_algorithm,
                "header alg is " + in_quotes(header.algorithm) + ", the key's is " + others);
}

/// The text where it is one JSON value at all, however odd.
std::optional<std::string> json_text(std::string_view part) {
  auto text = decode_base64url(part);
  if (text && text->find('\0') == std::string::npos && Json::accept(*text)) {
    return text;
  }
  return std::nullopt;
}

}  // namespace

std::string verified_payload(std::string_view token, const KeyRing& keys) {
  const Parts parts = parts_of(token);
  const std::string header_text = decoded(parts.header, "header");
  std::string payload = decoded(parts.payload, "payload");
  const std::string signature = decoded(parts.signature, "signature");
  const Header header = header_of(header_text);
  for (const auto& key : keys_for(header, keys)) {
    if (key->verifies(parts.signed_bytes, signature)) {
      return payload;
    }
  }
  throw Refusal(TokenProblem::bad_signature,
                "the signature is not one of " + header.algorithm + " by a key that is known");
}

UnverifiedToken read_unverified(std::string_view token) {
  const auto parts = token.size() > largest_token ? std::nullopt : split(token);
  if (!parts) {
    return {};
  }
  return {.header = json_text(parts->header), .payload = json_text(parts->payload)};
}

}  // namespace accounting::crypto
