"""Which modules come with an import, in the order in which they need each other (`light_importing`).

Made by `tools/import_order.py`. Nothing depends on it but the time that a start takes.
"""

from __future__ import annotations

ORDER = {
    "purewasm.runtime.runtime": (
        "purewasm.runtime purewasm.engine purewasm.light_typing purewasm.wasm purewasm.wasm.features purewasm.engine.protocol "
        "purewasm.errors purewasm.wasm.limits purewasm.runtime.allocation purewasm.runtime.config purewasm.runtime.engines "
        "purewasm.traps purewasm.store purewasm.binary purewasm.binary.leb purewasm.binary.gate purewasm.light_library "
        "purewasm.binary.reader purewasm.wasm.opcodes purewasm.wasm.valtypes purewasm.binary.immediates purewasm.wasm.live "
        "purewasm.wasm.locks purewasm.wasm.deftypes purewasm.binary.types purewasm.binary.body purewasm.store.gc "
        "purewasm.wasm.float_bits purewasm.store.constexpr purewasm.wasm.module purewasm.runtime.instantiation "
        "purewasm.binary.expressions purewasm.binary.sections purewasm.binary.segments purewasm.binary.decoder "
        "purewasm.store.descriptors purewasm.runtime.module purewasm.runtime.source purewasm.store.meter purewasm.store.instance"
    ),
    "purewasm.engine.native.engine": (
        "purewasm.engine.native purewasm.backend purewasm.backend.machine_code purewasm.engine.native.posix "
        "purewasm.engine.native.libc purewasm.isa purewasm.isa.x64 purewasm.isa.x64.registers purewasm.isa.x64.address "
        "purewasm.isa.x64.conditions purewasm.isa.x64.opcodes purewasm.isa.x64.operands purewasm.isa.x64.templates "
        "purewasm.isa.x64.formats purewasm.isa.x64.control purewasm.isa.x64.integer purewasm.isa.x64.memory "
        "purewasm.engine.native.assembler purewasm.engine.native.availability purewasm.engine.native.thread_slot purewasm.isa.x64.abi "
        "purewasm.isa.x64.cpu purewasm.isa.x64.xmm_moves purewasm.store.declared purewasm.store.layout purewasm.engine.native.control "
        "purewasm.engine.native.endings purewasm.engine.native.code_memory purewasm.backend.target purewasm.ir purewasm.ir.classes "
        "purewasm.backend.placement purewasm.engine.native.boxing purewasm.isa.x64.guest_arguments purewasm.engine.native.entry "
        "purewasm.engine.native.tail_calls purewasm.engine.native.backtrace purewasm.engine.native.traps "
        "purewasm.engine.native.signals purewasm.engine.native.interrupts purewasm.engine.native.turn purewasm.engine.native.landing "
        "purewasm.engine.native.host_calls purewasm.engine.native.lazy purewasm.ir.builtins purewasm.engine.native.builtins "
        "purewasm.engine.native.compilers purewasm.engine.native.handles purewasm.store.function purewasm.store.values "
        "purewasm.engine.native.functions purewasm.engine.native.fuel purewasm.engine.native.tiers purewasm.store.object_layout "
        "purewasm.engine.native.type_records purewasm.engine.native.space purewasm.store.global_ purewasm.engine.native.global_ "
        "purewasm.store.memory purewasm.engine.native.memory purewasm.engine.native.function_code purewasm.engine.native.heap_users "
        "purewasm.engine.native.instance_image purewasm.engine.native.variant purewasm.engine.native.module_code purewasm.store.table "
        "purewasm.engine.native.table purewasm.isa.x64.detection"
    ),
    "purewasm.validate.module": (
        "purewasm.validate purewasm.validate.state purewasm.validate.control purewasm.validate.signatures purewasm.validate.memory "
        "purewasm.validate.parametric purewasm.validate.plan purewasm.validate.variable purewasm.validate.body purewasm.validate.table "
        "purewasm.validate.calls purewasm.validate.numeric purewasm.validate.dispatch purewasm.validate.constants "
        "purewasm.validate.types"
    ),
    "purewasm.isa.x64.baseline.compile": (
        "purewasm.isa.x64.baseline purewasm.frontend purewasm.ir.ops purewasm.frontend.context purewasm.ir.function "
        "purewasm.frontend.state purewasm.frontend.actions purewasm.isa.x64.emit purewasm.isa.x64.padding purewasm.isa.x64.roles "
        "purewasm.isa.x64.emit.state purewasm.isa.x64.baseline.forms purewasm.frontend.families purewasm.isa.x64.emit.families "
        "purewasm.isa.x64.baseline.state purewasm.isa.x64.emit.jump_tables purewasm.isa.x64.baseline.control "
        "purewasm.isa.x64.baseline.body purewasm.isa.x64.emit.finish purewasm.isa.x64.emit.polls"
    ),
    "purewasm.isa.x64.compile": (
        "purewasm.ir.ops purewasm.backend.splitting purewasm.backend.linear_scan purewasm.frontend purewasm.ir.function "
        "purewasm.frontend.state purewasm.frontend.known_types purewasm.frontend.calls purewasm.frontend.context "
        "purewasm.frontend.invariants purewasm.frontend.control purewasm.frontend.memory purewasm.frontend.exceptions "
        "purewasm.frontend.numeric purewasm.frontend.parametric purewasm.frontend.reference purewasm.frontend.table "
        "purewasm.frontend.variable purewasm.frontend.actions purewasm.frontend.division purewasm.frontend.families purewasm.wasm.fuel "
        "purewasm.frontend.build purewasm.frontend.live_locals purewasm.frontend.loop purewasm.isa.x64.emit purewasm.isa.x64.padding "
        "purewasm.isa.x64.roles purewasm.isa.x64.emit.state purewasm.isa.x64.emit.moves purewasm.isa.x64.emit.builtins "
        "purewasm.isa.x64.emit.table purewasm.isa.x64.emit.calls purewasm.isa.x64.vex purewasm.isa.x64.emit.reference "
        "purewasm.isa.x64.emit.compare purewasm.isa.x64.emit.jump_tables purewasm.isa.x64.emit.vector_direct purewasm.isa.x64.machine "
        "purewasm.passes purewasm.passes.polls purewasm.isa.x64.emit.control purewasm.isa.x64.emit.division "
        "purewasm.isa.x64.emit.memory purewasm.isa.x64.emit.modify purewasm.isa.x64.bmi purewasm.isa.x64.emit.numeric "
        "purewasm.isa.x64.emit.polls purewasm.isa.x64.emit.families purewasm.isa.x64.emit.body purewasm.isa.x64.emit.finish "
        "purewasm.isa.x64.frame purewasm.frontend.size purewasm.isa.x64.support purewasm.passes.operand_kinds "
        "purewasm.passes.dead_code purewasm.passes.intervals purewasm.passes.pipeline"
    ),
}
