// Without CUDA torch has no guard for its devices, and asks for one wherever it indexes or views a tensor.
#include <c10/core/impl/DeviceGuardImplInterface.h>

namespace {
c10::impl::DeviceGuardImplRegistrar registrar(
    c10::DeviceType::CUDA,
    new c10::impl::NoOpDeviceGuardImpl<c10::DeviceType::CUDA>());
}
