// Another name of bang.h.
#pragma once
#include "bang.h"
