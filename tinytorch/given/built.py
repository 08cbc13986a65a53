"""Which module builds which name. Made by `tito dev export` from the modules: edit those."""

NAMES = {  # exported file -> the names that it defines
    "tensor": """
        broadcast_shape add sub mul div power neg exp log sqrt absolute greater greater_equal equal where matmul
        reduce_sum mean reshape transpose reduce_max argmax reduce_min argmin permute getitem cast expand cat as_array
        unwrap wrap apply Tensor
    """.split(),
    "activations": """
        relu sigmoid tanh erf gelu softmax log_softmax leaky_relu
    """.split(),
    "layers": """
        LoadedKeys linear Parameter Buffer Tree Stateful Module overwrite uniform_ fans calculate_gain kaiming_uniform_
        normal_ kaiming_normal_ xavier_uniform_ Linear dropout Dropout Sequential Flatten ReLU Sigmoid Tanh GELU
        LeakyReLU Softmax LogSoftmax
    """.split(),
    "losses": """
        REDUCTIONS reduce_losses check_shapes check_labels mse_loss logsumexp cross_entropy
        binary_cross_entropy_with_logits accuracy cross_entropy_backward linear_backward relu_backward nll_loss Loss
        MSELoss CrossEntropyLoss NLLLoss BCEWithLogitsLoss mlp mlp_gradients
    """.split(),
    "autograd": """
        mul_rule sign base_rule exponent_rule matmul_rule matmul_right_rule linear_weight bias_rule kept_shape
        reduce_sum_rule mean_rule share extreme_rule cat_rule put_back unbroadcast relu_rule softmax_rule gelu_rule
        probability_minus_truth cross_entropy_rule nll_rule mse_rule bce_rule wanted_inputs topological_order
        input_gradients fitted free walk recording no_grad enable_grad grad backward gradcheck
    """.split(),
    "optim": """
        sgd_update momentum_update adam_update decay_weights Optimizer decayed SGD Adam adamw_update AdamW
        clip_grad_norm_ step_decay cosine_decay LRScheduler StepLR CosineAnnealingLR LambdaLR warmup_cosine
    """.split(),
    "data": """
        parse_idx parse_cifar10 Dataset IterableDataset TensorDataset split_indices Subset batch_of random_split
        batch_indices DataLoader chunks ahead normalize flip shift Normalize RandomHorizontalFlip RandomShift
        RandomBrightness Compose
    """.split(),
    "training": """
        train_epoch mean_and_error predict Result with_reduction evaluate confusion_matrix Patience split_arrays
        atomically save_checkpoint load_checkpoint join_arrays EarlyStopping Trainer
    """.split(),
    "profiler": """
        measure quartiles Timing benchmark versus matmul_flops softmax_flops register_costs bytes_moved Machine
        measure_machine bound Span Log span self_times trace_events profile record_function
    """.split(),
    "kernels_cpu": """
        REORDER gelu_loop covers gelu_tanh_loop by_entries gelu_numba relu_backward_loop relu_backward
        relu_backward_numba softmax_rows log_softmax_rows by_rows softmax_numba log_softmax_numba loss_rows
        gradient_rows outside label_rows cross_entropy_numba cross_entropy_gradient for_grad for_logits
        cross_entropy_gradient_numba adam_loop adam_numbers adam_numba adamw_numba sgd_loop sgd_numba momentum_loop
        momentum_numba rows_of prepare_relu_backward prepare_cross_entropy prepare_cross_entropy_gradient label_check
        plain_labels prepare_sgd prepare_momentum prepare_adam prepare_adamw matmul_blocked
    """.split(),
    "kernels_cuda": """
        THREADS TILE relu_kernel blocks_for relu_cuda add_row_kernel add_cuda block_sum_kernel sum_all reduce_sum_cuda
        matmul_kernel matmul_cuda
    """.split(),
    "cnn": """
        convolve windows unfold convolution conv2d_weight fold conv2d_input channel_sum conv2d Conv2d max_pooling
        max_pooling_backward max_pooling_pick average_pooling average_pooling_backward pool max_pool2d avg_pool2d
        MaxPool2d AvgPool2d channel_norm CHANNEL channel_variance channel_norm_weight channel_norm_backward
        channel_norm_backward_rule batch_norm BatchNorm2d LeNet5 ConvNet
    """.split(),
}
