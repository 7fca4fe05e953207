// BANG C on the DLP: qualifiers, types, built-in variables and built-ins.
// Included before every kernel; `#include <bang.h>`, "mlu.h" and "bcl.h" name it too.
// Every built-in is a thin inline over the functions generated from the instruction table
// (dlp_instructions.h), which kernels may also call directly.  docs/bcl.md lists them.
#pragma once
#include "bang/types.h"
#include "bang/rules.h"
#include "bang/order.h"
#include "bang/print.h"
#include "bang/copy.h"
#include "bang/fill.h"
#include "bang/layout.h"
#include "bang/vector.h"
#include "bang/logic.h"
#include "bang/reduce.h"
#include "bang/pool.h"
#include "bang/convert.h"
#include "bang/matrix.h"
#include "bang/atomic.h"
#include "bang/math.h"
#include "bang/lanes.h"
#include "bang/libdevice.h"
#if __has_include(<stdlib.h>)
#include "cnrt.h"
#endif
