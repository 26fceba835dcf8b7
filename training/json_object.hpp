// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "atomtrack/tensor/error.hpp"

namespace atomtrack {

/// Reads a JSON object key by key and knows which keys nobody asked for.
class JsonObject {
 public:
  JsonObject(const nlohmann::json& json, std::string where)
      : json_(json), where_(std::move(where)) {
    require<InputError>(json.is_object(), where_, ": expected an object { ... }, found ",
                        json.type_name());
  }

  bool has(const char* key) const { return json_.contains(key); }

  /// Replaces `value` if the key is there.
  void optional(const char* key, double& value) { read(key, value, "a number", &Json::is_number); }
  void optional(const char* key, int& value) {
    read(key, value, "a whole number", &Json::is_number_integer);
  }
  void optional(const char* key, std::int64_t& value) {
    read(key, value, "a whole number", &Json::is_number_integer);
  }
  void optional(const char* key, std::uint64_t& value) {
    read(key, value, "a whole number that is not negative", &Json::is_number_unsigned);
  }
  void optional(const char* key, bool& value) {
    read(key, value, "true or false", &Json::is_boolean);
  }
  void optional(const char* key, std::string& value) {
    read(key, value, "a text", &Json::is_string);
  }

  template <class Value>
  void required(const char* key, Value& value) {
    require<InputError>(has(key), where_, ": lacks '", key, "'");
    optional(key, value);
  }

  /// The object under a key; an empty one if it is not there.
  JsonObject object(const char* key) {
    static const nlohmann::json empty = nlohmann::json::object();
    known_.insert(key);
    return {has(key) ? json_.at(key) : empty, where_ + ": " + key};
  }
  /// The array under a key. Throws InputError if it is missing or empty.
  const nlohmann::json& array(const char* key) {
    known_.insert(key);
    require<InputError>(has(key) && json_.at(key).is_array() && !json_.at(key).empty(), where_,
                        ": expected '", key, "' to be an array with at least one entry");
    return json_.at(key);
  }
  const nlohmann::json& json() const { return json_; }
  const std::string& where() const { return where_; }

  /// Throws InputError if there are keys that nobody asked for.
  void finish() const {
    for (const auto& [key, value] : json_.items())
      require<InputError>(known_.count(key) != 0, where_, ": unknown key '", key, "'");
  }

 private:
  using Json = nlohmann::json;

  template <class Value>
  void read(const char* key, Value& value, const char* expected,
            bool (Json::*is)() const noexcept) {
    known_.insert(key);
    if (!has(key)) return;
    const Json& found = json_.at(key);
    require<InputError>((found.*is)(), where_, ": '", key, "' is ", found.dump(), ", expected ",
                        expected);
    value = found.get<Value>();
  }

  const Json& json_;
  std::string where_;
  std::set<std::string> known_;
};

}  // namespace atomtrack
