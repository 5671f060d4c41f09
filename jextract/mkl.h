/* The headers of oneMKL that have what toydiff binds: jextract takes over ten minutes for oneMKL's own mkl.h. */
#include "mkl_types.h"
#include "mkl_cblas.h"
#include "mkl_service.h"
