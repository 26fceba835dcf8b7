// SPDX-License-Identifier: MIT
#include "datasets/benchmark_tables.hpp"

namespace atomtrack::datasets {

const std::map<std::string, OtbException>& otb_exceptions() {
  static const std::map<std::string, OtbException> table{
      {"David", {300, 0}},   {"BlurCar1", {247, 0}}, {"BlurCar3", {3, 0}},
      {"BlurCar4", {18, 0}}, {"Tiger1", {1, 5}},
  };
  return table;
}

const std::map<std::string, UavPart>& uav123_parts() {
  static const std::map<std::string, UavPart> table{
      {"bird1_1", {"bird1", 1}},
      {"bird1_2", {"bird1", 775}},
      {"bird1_3", {"bird1", 1573}},
      {"car1_1", {"car1", 1}},
      {"car1_2", {"car1", 751}},
      {"car1_3", {"car1", 1627}},
      {"car6_1", {"car6", 1}},
      {"car6_2", {"car6", 487}},
      {"car6_3", {"car6", 1807}},
      {"car6_4", {"car6", 2953}},
      {"car6_5", {"car6", 3925}},
      {"car8_1", {"car8", 1}},
      {"car8_2", {"car8", 1357}},
      {"car16_1", {"car16", 1}},
      {"car16_2", {"car16", 415}},
      {"group1_1", {"group1", 1}},
      {"group1_2", {"group1", 1333}},
      {"group1_3", {"group1", 2515}},
      {"group1_4", {"group1", 3925}},
      {"group2_1", {"group2", 1}},
      {"group2_2", {"group2", 907}},
      {"group2_3", {"group2", 1771}},
      {"group3_1", {"group3", 1}},
      {"group3_2", {"group3", 1567}},
      {"group3_3", {"group3", 2827}},
      {"group3_4", {"group3", 4369}},
      {"person2_1", {"person2", 1}},
      {"person2_2", {"person2", 1189}},
      {"person4_1", {"person4", 1}},
      {"person4_2", {"person4", 1501}},
      {"person5_1", {"person5", 1}},
      {"person5_2", {"person5", 877}},
      {"person7_1", {"person7", 1}},
      {"person7_2", {"person7", 1249}},
      {"person8_1", {"person8", 1}},
      {"person8_2", {"person8", 1075}},
      {"person12_1", {"person12", 1}},
      {"person12_2", {"person12", 601}},
      {"person14_1", {"person14", 1}},
      {"person14_2", {"person14", 847}},
      {"person14_3", {"person14", 1813}},
      {"person17_1", {"person17", 1}},
      {"person17_2", {"person17", 1501}},
      {"person19_1", {"person19", 1}},
      {"person19_2", {"person19", 1243}},
      {"person19_3", {"person19", 2791}},
      {"truck4_1", {"truck4", 1}},
      {"truck4_2", {"truck4", 577}},
      {"uav1_1", {"uav1", 1}},
      {"uav1_2", {"uav1", 1555}},
      {"uav1_3", {"uav1", 2473}},
  };
  return table;
}

const std::vector<std::string>& otb_attributes() {
  static const std::vector<std::string> names{"IV",  "SV",  "OCC", "DEF", "MB", "FM",
                                              "IPR", "OPR", "OV",  "BC",  "LR"};
  return names;
}

const std::vector<std::string>& uav123_attributes() {
  static const std::vector<std::string> names{"SV", "ARC", "LR", "FM", "FOC", "POC",
                                              "OV", "BC",  "IV", "VC", "CM",  "SOB"};
  return names;
}

const std::vector<std::string>& lasot_attributes() {
  static const std::vector<std::string> names{"IV", "POC", "DEF", "MB", "CM", "ROT", "BC",
                                              "VC", "SV",  "FOC", "FM", "OV", "LR",  "ARC"};
  return names;
}

}  // namespace atomtrack::datasets
